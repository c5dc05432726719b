-- what 2.x adds to the columns of 1.23; applied behind kuma-1.23.sql
ALTER TABLE monitor ADD COLUMN json_path_operator VARCHAR(255);
ALTER TABLE monitor ADD COLUMN conditions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE monitor ADD COLUMN ip_family TEXT;
ALTER TABLE monitor ADD COLUMN ping_count INTEGER NOT NULL DEFAULT 1;
INSERT INTO monitor (id,name,type,interval,weight) VALUES (10,'Outer','group',60,1),(11,'Inner','group',60,1);
UPDATE monitor SET parent=10 WHERE id=11;
INSERT INTO monitor (id,name,type,url,interval,parent,json_path,json_path_operator,expected_value,auth_method,basic_auth_user,basic_auth_pass,timeout) VALUES (12,'Queue','json-query','https://u:hunter2@api.example.org/q?token=hunter2',60,11,'queue.depth','<','100','basic','u','hunter2',30);
INSERT INTO monitor (id,name,type,hostname,interval,ip_family) VALUES (13,'Six','ping','2001:db8::1',60,'ipv6');
INSERT INTO monitor (id,name,type,hostname,port,dns_resolve_type,dns_resolve_server,conditions) VALUES (14,'Records','dns','example.org',53,'A','192.0.2.53','[{"type":"expression","variable":"record","operator":"equals","value":"192.0.2.1"}]');
INSERT INTO monitor (id,name,type,interval) VALUES (15,NULL,NULL,60);

package importer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // The driver of files.
)

// kumaColumns are columns of the database that have another name in a backup.
var kumaColumns = map[string]string{
	"ignore_tls": "ignoreTls", "upside_down": "upsideDown", "retry_interval": "retryInterval", "accepted_statuscodes_json": "accepted_statuscodes",
	"invert_keyword": "invertKeyword", "proxy_id": "proxyId", "json_path": "jsonPath", "json_path_operator": "jsonPathOperator",
	"expected_value": "expectedValue", "auth_method": "authMethod",
}

// kumaDatabase reads monitors of a kuma.db. It writes nothing beside it, and asks no table for what isn't needed.
func (i *importing) kumaDatabase(path string) (all []monitor, err error) {
	file, remove, err := readable(path)
	if err != nil {
		return nil, err
	}
	defer remove()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, fmt.Errorf("%s: can't be read: %w", visible(path), err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	all, err = rows(ctx, db, `SELECT * FROM monitor ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("%s: no database of Uptime Kuma, or a damaged one: no table of monitors can be read", visible(path))
	}
	// Pages are an extra: older versions have none.
	titles, _ := rows(ctx, db, `SELECT title FROM status_page ORDER BY id LIMIT 1`)
	if len(titles) > 0 && i.title == "" {
		i.title = literal(cleanName(titles[0].text("title")))
	}
	shown, _ := rows(ctx, db, `SELECT m.monitor_id AS id, g.name AS name, m.send_url AS url FROM monitor_group m JOIN "group" g ON g.id = m.group_id ORDER BY g.weight, m.weight, m.id`)
	byID := make(map[string]monitor, len(all))
	for _, m := range all {
		byID[m.text("id")] = m
	}
	for _, at := range shown {
		m, known := byID[at.text("id")]
		if !known {
			continue
		}
		if m.all["publicGroup"] == nil {
			m.all["publicGroup"] = at.text("name")
		}
		if at.is("url") {
			m.all["sendUrl"] = "1"
		}
	}
	return all, nil
}

// rows reads what a query finds, by the names of columns.
func rows(ctx context.Context, db *sql.DB, query string) (all []monitor, err error) {
	found, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	for found.Next() && len(all) <= maxServices {
		values := make([]any, len(columns))
		for n := range values {
			values[n] = new(sql.NullString)
		}
		if err := found.Scan(values...); err != nil {
			return nil, err
		}
		m := monitor{all: map[string]any{}}
		for n, name := range columns {
			text, is := values[n].(*sql.NullString)
			if !is || !text.Valid {
				continue
			}
			if other := kumaColumns[name]; other != "" {
				name = other
			}
			m.all[name] = text.String
		}
		all = append(all, m)
	}
	return all, found.Err()
}

// readable names a database that may be read without a trace: the file itself, or, where it has a log (-wal) beside it, which
// only a writer may take in, a copy of both.
func readable(path string) (name string, remove func(), err error) {
	name, err = filepath.Abs(path)
	if err != nil {
		return "", nil, unreadable(path, err)
	}
	if log, _ := os.Stat(name + "-wal"); log == nil || log.Size() == 0 {
		return (&url.URL{Scheme: "file", Path: name, RawQuery: "immutable=1&mode=ro"}).String(), func() {}, nil
	}
	dir, err := os.MkdirTemp("", "statuspage-import-")
	if err != nil {
		return "", nil, fmt.Errorf("%s: no room for a copy: %w", visible(path), err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	to := filepath.Join(dir, "kuma.db")
	if err := errors.Join(copied(name, to), copied(name+"-wal", to+"-wal")); err != nil {
		remove()
		return "", nil, unreadable(path, err)
	}
	return (&url.URL{Scheme: "file", Path: to}).String(), remove, nil
}

func copied(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // Only read.
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

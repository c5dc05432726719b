package questdb

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// knocker asks QuestDB for a sign of life, over a connection of its own: the others may all be busy.
type knocker struct {
	config *pgx.ConnConfig
	conn   *pgx.Conn    // Nil until it is needed, and after an error.
	heard  atomic.Int64 // When something came over any connection last, Unix nanoseconds.
}

// Knock returns when QuestDB has answered. It is for one goroutine.
func (s *Store) Knock(ctx context.Context) (err error) {
	k := &s.knocker
	if k.conn == nil {
		if k.conn, err = pgx.ConnectConfig(ctx, k.config.Copy()); err != nil {
			k.conn = nil
			return err
		}
	}
	var one int64
	if err = k.conn.QueryRow(ctx, `SELECT 1`).Scan(&one); err != nil {
		s.Leave()
	}
	return err
}

// Leave hangs up what Knock has connected.
func (s *Store) Leave() {
	if s.knocker.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.knocker.conn.Close(ctx) // It may be broken.
	s.knocker.conn = nil
}

// Heard is when something came from QuestDB last, over any connection.
func (s *Store) Heard() time.Time { return time.Unix(0, s.knocker.heard.Load()) }

// listening makes the connections that dial opens tell when something comes.
func (k *knocker) listening(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &heardConn{conn, &k.heard}, nil
	}
}

type heardConn struct {
	net.Conn
	heard *atomic.Int64
}

// Read implements net.Conn.
func (c *heardConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

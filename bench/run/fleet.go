package main

import (
	"context"
	"path/filepath"
	"slices"
	"statuspage/bench/proc"
	"statuspage/e2e/harness"
)

// lineup is which processes there are.
type lineup struct {
	name  string
	queue bool
	roles []string // Of each process.
}

// fleet is processes of the product on one QuestDB, and on one Redis where they share a queue.
type fleet struct {
	members []*product
	questdb *questdb
	redis   *harness.Redis // Nil without a queue.
}

// fleet starts all of a line-up on a store of its own. The past is made up once.
func (l scaleSection) fleet(ctx context.Context, s spec, u lineup) (_ *fleet, end func(), err error) {
	dir, remove, err := l.scratch()
	if err != nil {
		return nil, nil, err
	}
	ends := []func(){remove}
	endAll := func() {
		for _, e := range slices.Backward(ends) {
			e()
		}
	}
	defer func() {
		if err != nil {
			endAll()
		}
	}()
	q, endQuestDB, err := l.questdb(ctx, filepath.Join(dir, "questdb"))
	if err != nil {
		return nil, nil, err
	}
	ends = append(ends, endQuestDB)
	f := &fleet{questdb: q}
	s.database = q.URL()
	if u.queue {
		if f.redis, err = l.redis(ctx, dir); err != nil {
			return nil, nil, err
		}
		ends = append(ends, f.redis.End)
		s.queue = f.redis.URL()
	}
	for _, s.role = range u.roles {
		p, endProduct, err := l.filled(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		ends = append(ends, endProduct)
		f.members = append(f.members, p)
		s.seedHours = 0
	}
	return f, endAll, nil
}

// of are the members with a role.
func (f *fleet) of(role string) (all []*product) {
	for _, p := range f.members {
		if p.spec.role == role {
			all = append(all, p)
		}
	}
	return all
}

// stop ends the members, whose outboxes are empty then; the store and Redis go on.
func (f *fleet) stop() {
	for _, p := range slices.Backward(f.members) {
		p.End()
	}
}

// What the kinds of processes beside the members are called.
const (
	kindRedis   = "Redis"
	kindQuestDB = "QuestDB"
)

// usage is what the processes of each kind, which is their role for members, have taken so
// far: the CPU of all, and the memory of the one with the most.
func (f *fleet) usage() (map[string]proc.Usage, error) {
	all := map[string]proc.Usage{}
	add := func(kind string, pid int) error {
		u, err := proc.Read(pid)
		sum := all[kind]
		all[kind] = proc.Usage{At: u.At, CPU: sum.CPU + u.CPU, RSS: max(sum.RSS, u.RSS)}
		return err
	}
	err := add(kindQuestDB, f.questdb.PID)
	if err == nil && f.redis != nil {
		err = add(kindRedis, f.redis.PID())
	}
	for _, p := range f.members {
		if err == nil {
			err = add(p.spec.role, p.PID())
		}
	}
	return all, err
}

// metric sums a metric of all members.
func (f *fleet) metric(ctx context.Context, name string) (sum float64, err error) {
	for _, p := range f.members {
		v, err := p.metric(ctx, name)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}

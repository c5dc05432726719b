package questdb

import (
	"context"
	"fmt"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"
)

// A table that cannot take our columns as it is, such as the classic one without WAL and
// partitions, is upgraded in steps whose progress shows in the tables' names, so that a
// run that was killed is taken up where it ended:
//
//	signals (classic)      → rename, then create the new table, so that writers go on
//	signals_upgrading_1    → copy its rows; DEDUP makes a second copy harmless
//	signals_before_upgrade_1 is what is left, untouched: all rows are copied
//
// Rows of the same microsecond and URL, which nobody could tell apart, become one.

// setAside gives way to the new table when the one in place cannot be extended.
func (w *schema) setAside(ctx context.Context) error {
	all, err := w.tables(ctx)
	if err != nil {
		return err
	}
	old, found := find(all, w.names.signals)
	if !found || old.wal && old.partition != "NONE" && old.designated == "received" {
		return nil
	}
	have, _, err := w.columnsOf(ctx, old.name)
	if err != nil {
		return err
	}
	for _, name := range []string{"url", "received"} {
		if !slices.Contains(have, name) {
			return fmt.Errorf("table %s has no column %s, so it holds something else; rename it: %w", old.name, name, status.ErrInvalid)
		}
	}
	aside := w.names.upgrading + strconv.Itoa(free(all, w.names.upgrading, w.names.before))
	w.log.Info("upgrading the signals table", "table", old.name, "aside", aside)
	return w.do(ctx, "set aside", `RENAME TABLE `+old.name+` TO `+aside)
}

// copyBack copies the rows of the tables set aside, by this run or one before.
func (w *schema) copyBack(ctx context.Context) error {
	all, err := w.tables(ctx)
	if err != nil {
		return err
	}
	copied := false
	for _, old := range all {
		n, isAside := strings.CutPrefix(old.name, w.names.upgrading)
		if _, err := strconv.Atoi(n); !isAside || err != nil {
			continue
		}
		have, _, err := w.columnsOf(ctx, old.name)
		if err != nil {
			return err
		}
		var common []string
		for _, c := range columns {
			if slices.Contains(have, c.name) {
				common = append(common, c.name)
			}
		}
		list := strings.Join(common, ", ")
		if err := w.do(ctx, "copy", `INSERT INTO `+w.names.signals+` (`+list+`) SELECT `+list+` FROM `+old.name); err != nil {
			return err
		}
		if err := w.settled(ctx, w.names.signals); err != nil {
			return err
		}
		if err := w.do(ctx, "finish", `RENAME TABLE `+old.name+` TO `+w.names.before+n); err != nil {
			return err
		}
		w.log.Info("signals table upgraded", "before", w.names.before+n)
		copied = true
	}
	if copied {
		return w.allRefreshed(ctx)
	}
	return nil
}

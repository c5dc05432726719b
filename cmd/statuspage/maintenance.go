package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

const (
	wallFormat = "2006-01-02T15:04"
	// endPatience is for how long a server that is away is asked again to end what a command was planned for.
	endPatience = 30 * time.Second
	endRetry    = 2 * time.Second
	// stopPatience is how long a command has to end when we are told to.
	stopPatience = 10 * time.Second
)

// maintenance plans maintenance on a running server, for scripts and pipelines.
func (e env) maintenance(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("maintenance: say what to do: plan, list, end or cancel; `statuspage help` lists them")
	}
	switch verb, rest := args[0], args[1:]; verb {
	case "plan":
		return e.maintenancePlan(ctx, rest)
	case "list":
		return e.maintenanceList(ctx, rest)
	case "end":
		return e.maintenanceEnd(ctx, verb, "completed", rest)
	case "cancel":
		return e.maintenanceEnd(ctx, verb, "cancelled", rest)
	default:
		return fmt.Errorf("maintenance: %q is none of plan, list, end and cancel", verb)
	}
}

func (e env) maintenancePlan(ctx context.Context, args []string) error {
	var command []string
	if at := slices.Index(args, "--"); at >= 0 {
		args, command = args[:at], args[at+1:]
	}
	f := e.flags("maintenance plan")
	to, title, text := e.talking(f), f.String("title", "", ""), f.String("text", "", "")
	start, zone, length, rule := f.String("at", "", ""), f.String("zone", "UTC", ""), f.Duration("for", 0, ""), f.String("rrule", "", "")
	now := f.Bool("now", false, "")
	var services many
	f.Var(&services, "service", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	switch {
	case f.NArg() > 0:
		return errors.New("maintenance plan: more is said than flags; a command stands behind --")
	case *length < time.Minute:
		return errors.New("maintenance plan: needs --for, at least 1m")
	case *now == (*start != ""):
		return errors.New("maintenance plan: needs --at 2026-12-01T03:00 or --now, and not both")
	case *now && *rule != "":
		return errors.New("maintenance plan: what begins now does not come again: leave --rrule or --now out")
	case len(command) > 0 && !*now:
		return errors.New("maintenance plan: a command runs now: add --now")
	case *title == "" && len(command) > 0:
		*title = "Maintenance"
	case *title == "":
		return errors.New("maintenance plan: needs --title")
	}
	fields := map[string]any{"name": *title, "body": *text, "component_ids": []string(services), "deliver_notifications": true}
	schedule := map[string]any{"start": *start, "zone": *zone, "minutes": minutes(*length)}
	if *now {
		began := time.Now().UTC()
		// It begins at this very moment, and not at the minute, of which a part is past and was not announced.
		schedule = map[string]any{"start": began.Format(wallFormat), "zone": "UTC", "minutes": minutes(*length + began.Sub(began.Truncate(time.Minute))), "manual_start": true}
		fields["status"] = "in_progress"
	}
	if *rule != "" {
		schedule["rrule"] = *rule
	}
	fields["schedule"] = schedule
	s, err := e.server(ctx, to)
	if err != nil {
		return fmt.Errorf("maintenance plan: %w", err)
	}
	i, err := s.incident(ctx, "", fields)
	if err != nil {
		return fmt.Errorf("maintenance plan: %w", err)
	}
	if len(command) == 0 {
		_, err = fmt.Fprintln(e.stdout, plain(i.ID))
		return err
	}
	_, _ = fmt.Fprintln(e.stderr, "statuspage: maintenance", plain(i.ID), "goes on until the command ends")
	return e.during(ctx, s, i.ID, *length, command)
}

// minutes is a length as schedules have it: none is shorter than was asked for.
func minutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

// during runs a command, and ends the maintenance with it. One that takes longer than was planned extends it.
func (e env) during(ctx context.Context, s *server, id string, length time.Duration, command []string) error {
	run := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // It is what the command line asks for.
	run.Stdin, run.Stdout, run.Stderr = os.Stdin, e.stdout, e.stderr
	run.Cancel, run.WaitDelay = func() error { return run.Process.Signal(syscall.SIGTERM) }, stopPatience
	ended := make(chan error, 1)
	if err := run.Start(); err != nil {
		ended <- err
	} else {
		go func() { ended <- run.Wait() }()
	}
	extend := time.NewTicker(max(length/2, time.Minute/2))
	defer extend.Stop()
	until := time.Now().Add(length)
	for {
		select {
		case err := <-ended:
			e.end(context.WithoutCancel(ctx), s, id)
			return exitOf(err)
		case now := <-extend.C:
			if now.Add(length / 2).Before(until) {
				continue
			}
			next := now.Add(length).UTC()
			if _, err := s.incident(ctx, id, map[string]any{"scheduled_until": next.Format(time.RFC3339)}); err != nil {
				_, _ = fmt.Fprintln(e.stderr, "statuspage: the command takes longer than was planned, and the maintenance is not extended:", err)
				continue
			}
			until = next
		}
	}
}

// end ends a maintenance; a server that is away is asked again for a while.
func (e env) end(ctx context.Context, s *server, id string) {
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	for {
		_, err := s.incident(ctx, id, map[string]any{"status": "completed"})
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			_, _ = fmt.Fprintln(e.stderr, "statuspage: the maintenance is not ended, and ends as planned:", err)
			return
		case <-time.After(endRetry):
		}
	}
}

// exitOf is how a program ends that ran a command: as shells do, 127 for one that could not be run, and 128 more than the number of a
// signal.
func exitOf(err error) error {
	if err == nil {
		return nil
	}
	ended, is := errors.AsType[*exec.ExitError](err)
	if !is {
		return fmt.Errorf("maintenance plan: %w: %w", err, exitError{errors.New("the command ended with 127"), 127})
	}
	if state, is := ended.Sys().(syscall.WaitStatus); is && state.Signaled() {
		return exitError{errReported, 128 + int(state.Signal())}
	}
	return exitError{errReported, ended.ExitCode()} // What there was to say, the command has said.
}

func (e env) maintenanceList(ctx context.Context, args []string) error {
	f := e.flags("maintenance list")
	to, all := e.talking(f), f.Bool("all", false, "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	s, err := e.server(ctx, to)
	if err != nil {
		return fmt.Errorf("maintenance list: %w", err)
	}
	paths := []string{"active_maintenance", "upcoming"}
	if *all {
		paths = []string{"scheduled"}
	}
	for _, path := range paths {
		var found []told
		if err := s.call(ctx, http.MethodGet, s.incidents(path), nil, &found); err != nil {
			return fmt.Errorf("maintenance list: %w", err)
		}
		if err := e.list(found); err != nil {
			return err
		}
	}
	return nil
}

func (e env) maintenanceEnd(ctx context.Context, verb, phase string, args []string) error {
	f := e.flags("maintenance " + verb)
	to, text, occurrence := e.talking(f), f.String("text", "", ""), f.String("occurrence", "", "")
	id, err := e.withID(f, args)
	if err != nil {
		return err
	}
	s, err := e.server(ctx, to)
	if err == nil {
		fields := map[string]any{"status": phase, "body": *text}
		if *occurrence != "" {
			fields["occurrence"] = *occurrence
		}
		_, err = s.incident(ctx, id, fields)
	}
	if err != nil {
		return fmt.Errorf("maintenance %s: %w", verb, err)
	}
	return nil
}

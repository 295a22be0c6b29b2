package interop

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// cronEntry waits until asynq's inspector lists the entry with this id.
func (w *world) cronEntry(id string) *asynq.SchedulerEntry {
	w.t.Helper()
	var found *asynq.SchedulerEntry
	w.until("the inspector lists cron entry "+id, 20*time.Second, func() bool {
		entries, err := w.inspector.SchedulerEntries()
		if err != nil {
			w.t.Fatal(err)
		}
		for _, entry := range entries {
			if entry.ID == id {
				found = entry
			}
		}
		return found != nil
	})
	return found
}

func TestCronEntriesAreListedByTheInspector(t *testing.T) {
	w := newWorld(t)
	crew := w.crew("default=1", `
crew.cron("0 3 * * *", "report:daily", { n = 1 }, { id = "nightly", timezone = "Europe/Paris", queue = "low",
  max_retry = 7, timeout = "90s", unique = "1h", retention = "36h", group = "reports", process_in = "1m30s",
  headers = { trace = "a \"b\" <c>" } })
`)
	entry := w.cronEntry("nightly")
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	if entry.Spec != "CRON_TZ=Europe/Paris 0 3 * * *" {
		t.Errorf("spec %q", entry.Spec)
	}
	if entry.Task.Type() != "report:daily" || string(entry.Task.Payload()) != `{"n":1}` {
		t.Errorf("task %q with payload %q", entry.Task.Type(), entry.Task.Payload())
	}
	next := entry.Next.In(paris)
	if wait := time.Until(next); next.Hour() != 3 || next.Minute() != 0 || wait <= 0 || wait > 25*time.Hour {
		t.Errorf("next at %v", next)
	}
	if !entry.Prev.IsZero() {
		t.Errorf("previous at %v, though nothing was enqueued yet", entry.Prev)
	}
	// Group is missing: the inspector of asynq v0.26 does not read that option back.
	expected := map[asynq.OptionType]asynq.Option{
		asynq.QueueOpt: asynq.Queue("low"), asynq.MaxRetryOpt: asynq.MaxRetry(7), asynq.TimeoutOpt: asynq.Timeout(90 * time.Second),
		asynq.UniqueOpt: asynq.Unique(time.Hour), asynq.RetentionOpt: asynq.Retention(36 * time.Hour),
		asynq.ProcessInOpt: asynq.ProcessIn(90 * time.Second)}
	seen := map[asynq.OptionType]asynq.Option{}
	for _, option := range entry.Opts {
		seen[option.Type()] = option
	}
	for kind, option := range expected {
		if got := seen[kind]; got == nil || got.String() != option.String() {
			t.Errorf("option %v where %v was expected", got, option)
		}
	}
	w.stop(crew)
	if entries, err := w.inspector.SchedulerEntries(); err != nil || len(entries) != 0 {
		t.Errorf("entries after the stop: %v, %v", entries, err)
	}
}

func TestCronHistoryIsListedByTheInspectorAndItsTasksAreRunByGo(t *testing.T) {
	w := newWorld(t)
	w.crew("unused=1", `crew.cron("@every 1s", "tick", { n = 1 }, { id = "ticking", retention = "1h" })`)
	done := make(chan string, 100)
	server := asynq.NewServer(w.redis, asynq.Config{Concurrency: 2, LogLevel: asynq.ErrorLevel})
	mux := asynq.NewServeMux()
	mux.HandleFunc("tick", func(_ context.Context, task *asynq.Task) error {
		done <- task.ResultWriter().TaskID()
		return nil
	})
	if err := server.Start(mux); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	ran := map[string]bool{}
	for len(ran) < 4 {
		select {
		case id := <-done:
			if ran[id] {
				t.Fatalf("task %s ran twice", id)
			}
			ran[id] = true
		case <-time.After(20 * time.Second):
			t.Fatalf("only %d tasks were run", len(ran))
		}
	}
	events, err := w.inspector.ListSchedulerEnqueueEvents("ticking")
	if err != nil {
		t.Fatal(err)
	}
	if len(events) < 4 {
		t.Fatalf("%d events after 4 tasks", len(events))
	}
	seconds := map[int64]bool{}
	for i, event := range events {
		if i < len(events)-1 && event.EnqueuedAt.Before(events[i+1].EnqueuedAt) {
			t.Errorf("events are not listed newest first")
		}
		if seconds[event.EnqueuedAt.Unix()] {
			t.Errorf("two events in one second: %v", event.EnqueuedAt)
		}
		seconds[event.EnqueuedAt.Unix()] = true
		if info, err := w.inspector.GetTaskInfo("default", event.TaskID); err != nil || info.Type != "tick" {
			t.Errorf("task %s of an event: %v, %v", event.TaskID, info, err)
		}
	}
	// The list is written anew every 10 s, and from then on it has the newest tick.
	w.until("the entry has a previous tick", 30*time.Second, func() bool {
		return !w.cronEntry("ticking").Prev.IsZero()
	})
	entry := w.cronEntry("ticking")
	if entry.Next.Sub(entry.Prev) <= 0 || entry.Next.Sub(entry.Prev) > 3*time.Second {
		t.Errorf("previous %v, next %v", entry.Prev, entry.Next)
	}
}

package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// mooncrew's own inspection, from Lua, of what Go made, holds and has ended: it must see what asynq's inspector sees.

// ask runs a Lua expression over `client` and reads its value, as JSON, into out.
func (w *world) ask(out any, format string, arguments ...any) {
	w.t.Helper()
	text := w.lua("print(assert(json.encode(assert(" + fmt.Sprintf(format, arguments...) + "))))")
	if err := json.Unmarshal([]byte(text), out); err != nil {
		w.t.Fatalf("%v in %s", err, text)
	}
}

// refused runs a Lua expression that must fail, and returns its code.
func (w *world) refused(format string, arguments ...any) string {
	w.t.Helper()
	return w.lua("local value, message, code = " + fmt.Sprintf(format, arguments...) + "\nprint(value or code)")
}

// A Go server that ends every task as its type says; "long" ends only when it is cancelled.
func (w *world) actInGo() {
	w.t.Helper()
	w.handle(defaultQueue, func(ctx context.Context, task *asynq.Task) error {
		switch task.Type() {
		case "fail":
			return errors.New("it broke")
		case "skip":
			return fmt.Errorf("no use: %w", asynq.SkipRetry)
		case "long":
			<-ctx.Done()
			return ctx.Err()
		}
		_, err := task.ResultWriter().Write([]byte("kept"))
		return err
	})
}

// One task of Go's in every state.
func (w *world) oneOfEach() map[asynq.TaskState]string {
	w.t.Helper()
	w.actInGo()
	ids := map[asynq.TaskState]string{
		asynq.TaskStateScheduled:   w.enqueue("done", []byte(`{"n":1}`), asynq.ProcessIn(time.Hour), asynq.Unique(time.Hour)).ID,
		asynq.TaskStateAggregating: w.enqueue("done", nil, asynq.Group("ada")).ID,
		asynq.TaskStateCompleted:   w.enqueue("done", nil, asynq.Retention(time.Hour)).ID,
		asynq.TaskStateRetry:       w.enqueue("fail", nil, asynq.MaxRetry(7)).ID,
		asynq.TaskStateArchived:    w.enqueue("skip", nil).ID,
		asynq.TaskStateActive:      w.enqueue("long", nil, asynq.Timeout(10*time.Minute)).ID,
	}
	for state, id := range ids {
		w.info("default", id, state, 20*time.Second)
	}
	return ids
}

func TestACrewsInspectionSeesWhatAsynqsSees(t *testing.T) {
	w := newWorld(t)
	for state, id := range w.oneOfEach() {
		theirs := w.info("default", id, state, time.Second)
		var ours struct {
			ID, Queue, State, Type, Payload, Group, Result string
			MaxRetry                                       int    `json:"max_retry"`
			Retried                                        int    `json:"retried"`
			LastError                                      string `json:"last_error"`
			Timeout, Retention                             int64
			Orphaned                                       bool
			NextProcessAt                                  float64 `json:"next_process_at"`
			CompletedAt                                    int64   `json:"completed_at"`
			LastFailedAt                                   int64   `json:"last_failed_at"`
		}
		w.ask(&ours, "client:task('default', %q)", id)
		unix := func(at time.Time) int64 { return max(at.Unix(), 0) }
		got := fmt.Sprint(ours.ID, ours.Queue, ours.State, ours.Type, ours.Payload, ours.Group, ours.Result, ours.MaxRetry,
			ours.Retried, ours.LastError, ours.Timeout, ours.Retention, ours.Orphaned, ours.CompletedAt, ours.LastFailedAt)
		want := fmt.Sprint(theirs.ID, theirs.Queue, theirs.State, theirs.Type, string(theirs.Payload), theirs.Group,
			string(theirs.Result), theirs.MaxRetry, theirs.Retried, theirs.LastErr, int64(theirs.Timeout.Seconds()),
			int64(theirs.Retention.Seconds()), theirs.IsOrphaned, unix(theirs.CompletedAt), unix(theirs.LastFailedAt))
		if got != want {
			t.Errorf("%v: mooncrew sees\n%s, asynq\n%s", state, got, want)
		}
		if state == asynq.TaskStateScheduled && int64(ours.NextProcessAt) != theirs.NextProcessAt.Unix() {
			t.Errorf("due at %v and %v", ours.NextProcessAt, theirs.NextProcessAt)
		}
		var page struct{ Tasks []struct{ ID string } }
		options := "{}"
		if state == asynq.TaskStateAggregating {
			options = "{ group = 'ada' }"
		}
		w.ask(&page, "client:tasks('default', %q, %s)", state.String(), options)
		if len(page.Tasks) != 1 || page.Tasks[0].ID != id {
			t.Errorf("%v: listed %+v", state, page)
		}
	}

	theirs := w.queue("default")
	var ours map[string]any
	w.ask(&ours, "client:queue('default')")
	for name, want := range map[string]int{"size": theirs.Size, "pending": theirs.Pending, "active": theirs.Active,
		"scheduled": theirs.Scheduled, "retry": theirs.Retry, "archived": theirs.Archived, "completed": theirs.Completed,
		"aggregating": theirs.Aggregating, "groups": theirs.Groups, "processed": theirs.ProcessedTotal,
		"failed": theirs.FailedTotal, "processed_today": theirs.Processed, "failed_today": theirs.Failed} {
		if ours[name] != float64(want) {
			t.Errorf("%s is %v for mooncrew, %d for asynq", name, ours[name], want)
		}
	}
}

func TestACrewsInspectionListsAGoServer(t *testing.T) {
	w := newWorld(t)
	id := w.oneOfEach()[asynq.TaskStateActive]
	w.until("its task is listed", 20*time.Second, func() bool {
		servers := w.servers(1)
		return len(servers[0].ActiveWorkers) == 1
	})
	var servers []struct {
		Host, Status  string
		PID           int
		Concurrency   int
		ActiveWorkers int `json:"active_workers"`
		Queues        map[string]int
		Workers       []struct {
			TaskID string `json:"task_id"`
			Type   string
		}
	}
	w.ask(&servers, "client:servers()")
	theirs := w.servers(1)[0]
	if len(servers) != 1 || len(servers[0].Workers) != 1 {
		t.Fatalf("%+v", servers)
	}
	ours := servers[0]
	if ours.Host != theirs.Host || ours.PID != theirs.PID || ours.Status != theirs.Status || ours.Concurrency != 4 ||
		ours.ActiveWorkers != 1 || ours.Queues["default"] != 1 || ours.Workers[0].TaskID != id || ours.Workers[0].Type != "long" {
		t.Errorf("%+v", ours)
	}
}

func TestACrewsInspectionSteersGo(t *testing.T) {
	w := newWorld(t)
	ids := w.oneOfEach()
	active := ids[asynq.TaskStateActive]
	for _, method := range []string{"run_task", "archive_task", "delete_task"} {
		if code := w.refused("client:%s('default', %q)", method, active); code != "WRONG_STATE" {
			t.Errorf("%s of an active task: %s", method, code)
		}
	}
	if code := w.refused("client:remove_queue('default', { force = true })"); code != "WRONG_STATE" {
		t.Errorf("removing a queue that works: %s", code)
	}

	var ok bool
	w.ask(&ok, "client:update_payload('default', %q, { n = 2 })", ids[asynq.TaskStateScheduled])
	if info := w.info("default", ids[asynq.TaskStateScheduled], asynq.TaskStateScheduled, time.Second); string(info.Payload) != `{"n":2}` {
		t.Errorf("the payload is %s", info.Payload)
	}
	w.ask(&ok, "client:run_task('default', %q)", ids[asynq.TaskStateScheduled])
	w.gone("default", ids[asynq.TaskStateScheduled], 20*time.Second)
	w.ask(&ok, "client:archive_task('default', %q)", ids[asynq.TaskStateRetry])
	w.info("default", ids[asynq.TaskStateRetry], asynq.TaskStateArchived, time.Second)
	var count int
	w.ask(&count, "client:delete_tasks('default', 'archived')")
	if count != 2 {
		t.Errorf("deleted %d that were archived", count)
	}

	w.until("the Go handler is cancelled", 20*time.Second, func() bool {
		w.ask(&count, "client:cancel(%q)", active)
		info, err := w.inspector.GetTaskInfo("default", active)
		return err == nil && info.State == asynq.TaskStateRetry && info.LastErr == "context canceled"
	})
	w.ask(&ok, "client:pause('default')")
	waiting := w.enqueue("done", nil, asynq.Retention(time.Hour)).ID
	if !w.queue("default").Paused {
		t.Error("not paused")
	}
	w.ask(&ok, "client:unpause('default')")
	w.info("default", waiting, asynq.TaskStateCompleted, 20*time.Second)
	if locks := w.locks("default"); len(locks) > 0 {
		t.Errorf("locks that are left: %v", locks)
	}
}

func TestACrewsClientWaitsForTasksThatGoRuns(t *testing.T) {
	w := newWorld(t)
	w.actInGo()
	kept := w.enqueue("done", nil, asynq.Retention(time.Hour), asynq.ProcessIn(time.Second)).ID
	var done struct{ Result string }
	w.ask(&done, "client:wait(%q, '20s')", kept)
	if done.Result != "kept" {
		t.Errorf("%+v", done)
	}
	failed := w.enqueue("skip", nil, asynq.ProcessIn(time.Second)).ID
	answer := w.lua(fmt.Sprintf("print(select(2, client:wait(%q, '20s')))", failed))
	if !strings.HasPrefix(answer, "no use") && !strings.Contains(answer, "no use: skip retry for the task") {
		t.Errorf("the error is %q", answer)
	}
	if code := w.refused("client:wait(%q, '20s')", failed); code != "ARCHIVED" {
		t.Errorf("archived: %s", code)
	}
	unkept := w.enqueue("done", nil, asynq.ProcessIn(time.Second)).ID
	if code := w.refused("client:wait(%q, '20s')", unkept); code != "GONE" {
		t.Errorf("done without retention: %s", code)
	}
}

package interop

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// A task that one side begins and the other one ends: what it carries stays what it was.

var defaultQueue = map[string]int{"default": 1}

func TestGoGoesOnWithWhatACrewLeft(t *testing.T) {
	for kind, c := range map[string]struct {
		state   asynq.TaskState
		retried int
	}{
		"fail": {asynq.TaskStateRetry, 1}, "skip": {asynq.TaskStateArchived, 0}, "snooze": {asynq.TaskStateScheduled, 0},
		"long": {asynq.TaskStateActive, 0},
	} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t)
			crew := w.crew("default=1", movesScript, "--shutdown-timeout", "0s")
			task := asynq.NewTaskWithHeaders(kind, []byte(`{"n":1}`), map[string]string{"trace": "abc"})
			info, err := w.client.Enqueue(task, asynq.MaxRetry(7), asynq.Timeout(time.Minute), asynq.Retention(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			w.info("default", info.ID, c.state, 20*time.Second)
			w.stop(crew)
			if c.state != asynq.TaskStateActive { // which went back to the queue by itself
				if err := w.inspector.RunTask("default", info.ID); err != nil {
					t.Fatal(err)
				}
			}
			got := w.receive(w.serve(defaultQueue))
			if got.id != info.ID || got.retried != c.retried || got.maxRetry != 7 || got.payload != `{"n":1}` ||
				got.headers["trace"] != "abc" || got.left > time.Minute {
				t.Errorf("asynq.Server was given %+v", got)
			}
			done := w.info("default", info.ID, asynq.TaskStateCompleted, 20*time.Second)
			if string(done.Result) != "done by Go" || done.Retried != c.retried {
				t.Errorf("%+v", done)
			}
			w.atRest("default")
		})
	}
}

func TestACrewGoesOnWithWhatGoLeft(t *testing.T) {
	for name, c := range map[string]struct {
		handler func(ctx context.Context) error
		state   asynq.TaskState
		retried int
	}{
		"failed":   {func(context.Context) error { return errors.New("Go failed") }, asynq.TaskStateRetry, 1},
		"archived": {func(context.Context) error { return asynq.SkipRetry }, asynq.TaskStateArchived, 0},
		"requeued": {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, asynq.TaskStateActive, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			server := w.handle(defaultQueue, func(ctx context.Context, _ *asynq.Task) error { return c.handler(ctx) })
			id := w.fill("see", `{ n = 1 }`, `{ max_retry = 7, retention = "1h", headers = { trace = "abc" } }`)
			w.info("default", id, c.state, 20*time.Second)
			server.Shutdown()
			if c.state != asynq.TaskStateActive {
				if err := w.inspector.RunTask("default", id); err != nil {
					t.Fatal(err)
				}
			}
			w.info("default", id, asynq.TaskStatePending, 5*time.Second)
			w.crew("default=1", `
crew.task("see", { perform = function(payload, task)
  return { n = payload.n, retried = task.retried, max_retry = task.max_retry, trace = task.headers.trace }
end })`)
			done := w.info("default", id, asynq.TaskStateCompleted, 20*time.Second)
			want := `{"max_retry":7,"n":1,"retried":` + string(rune('0'+c.retried)) + `,"trace":"abc"}`
			if string(done.Result) != want {
				t.Errorf("the handler saw %s, not %s", done.Result, want)
			}
			w.atRest("default")
		})
	}
}

// ---- results ----

func TestResultsAreKeptByteByByte(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", `
crew.task("bytes", { payload = "raw", perform = function(payload) return payload end })
crew.task("large", { perform = function() return ("x"):rep(1024 * 1024) end })
crew.task("empty", { perform = function() return "" end })`)
	for _, result := range [][]byte{[]byte("\x00\xff\r\n"), []byte("plain"), []byte(`"json"`)} {
		id := w.enqueue("bytes", result, asynq.Retention(time.Hour)).ID
		if done := w.info("default", id, asynq.TaskStateCompleted, 20*time.Second); !bytes.Equal(done.Result, result) {
			t.Errorf("%q became %q", result, done.Result)
		}
	}
	large := w.info("default", w.fill("large", "nil", `{ retention = "1h" }`), asynq.TaskStateCompleted, 20*time.Second)
	if string(large.Result) != strings.Repeat("x", 1024*1024) {
		t.Errorf("1 MiB became %d bytes", len(large.Result))
	}
	empty := w.info("default", w.fill("empty", "nil", `{ retention = "1h" }`), asynq.TaskStateCompleted, 20*time.Second)
	if len(empty.Result) != 0 {
		t.Errorf("an empty result became %q", empty.Result)
	}
}

func TestGosJanitorDeletesWhatACrewCompleted(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	id := w.fill("result", "nil", `{ retention = "1s" }`)
	w.until("it is done", 20*time.Second, func() bool { return w.queue("default").ProcessedTotal == 1 })
	w.handle(defaultQueue, func(context.Context, *asynq.Task) error { return nil })
	w.gone("default", id, 20*time.Second)
	if q := w.queue("default"); q.Completed != 0 || q.Size != 0 {
		t.Errorf("%+v", q)
	}
}

// ---- time-outs ----

const timeoutScript = `
crew.task("sleep", { perform = function() crew.sleep(600) end })
crew.task("loop", { perform = function() while true do end end })`

func TestACrewEndsTasksAtTheTimeThatGoSet(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", timeoutScript, "--kill-grace", "200ms")
	for name, c := range map[string]struct {
		kind    string
		options []asynq.Option
	}{
		"timeout":              {"sleep", []asynq.Option{asynq.Timeout(time.Second)}},
		"deadline":             {"sleep", []asynq.Option{asynq.Deadline(time.Now().Add(2 * time.Second))}},
		"a deadline passed":    {"sleep", []asynq.Option{asynq.Deadline(time.Now().Add(-time.Minute))}},
		"one that never waits": {"loop", []asynq.Option{asynq.Timeout(time.Second)}},
	} {
		info := w.info("default", w.enqueue(c.kind, nil, c.options...).ID, asynq.TaskStateRetry, 20*time.Second)
		if info.Retried != 1 || !strings.HasPrefix(info.LastErr, "context deadline exceeded") {
			t.Errorf("%s: %+v", name, info)
		}
	}
	last := w.enqueue("sleep", nil, asynq.Timeout(time.Second), asynq.MaxRetry(0)).ID
	if info := w.info("default", last, asynq.TaskStateArchived, 20*time.Second); info.LastErr != "context deadline exceeded" {
		t.Errorf("without retries: %+v", info)
	}
	w.counters(5, 5)
}

func TestGoEndsTasksAtTheTimeThatACrewSet(t *testing.T) {
	w := newWorld(t)
	w.handle(defaultQueue, func(ctx context.Context, _ *asynq.Task) error { <-ctx.Done(); return ctx.Err() })
	for name, options := range map[string]string{"timeout": `{ timeout = "1s" }`, "deadline": `{ deadline = os.time() + 2 }`} {
		info := w.info("default", w.fill("sleep", "nil", options), asynq.TaskStateRetry, 20*time.Second)
		if info.Retried != 1 || info.LastErr != "context deadline exceeded" {
			t.Errorf("%s: %+v", name, info)
		}
	}
}

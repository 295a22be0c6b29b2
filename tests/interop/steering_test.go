package interop

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// Everything that asynq.Inspector can do, done to tasks that a crew made, holds or has ended.

// ---- one task ----

func TestInspectorRunsTasksNow(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	scheduled := w.fill("result", "nil", `{ process_in = "1h", retention = "1h" }`)
	retry := w.fill("twice_late", "nil", `{ retention = "1h" }`)
	archived := w.fill("skip", "nil", "{}")
	grouped := w.fill("result", "nil", `{ group = "ada", retention = "1h" }`)
	w.info("default", retry, asynq.TaskStateRetry, 20*time.Second)
	before := w.info("default", archived, asynq.TaskStateArchived, 20*time.Second)

	for _, id := range []string{scheduled, grouped, archived, retry} {
		if err := w.inspector.RunTask("default", id); err != nil {
			t.Fatal(err)
		}
	}
	w.info("default", scheduled, asynq.TaskStateCompleted, 20*time.Second)
	w.info("default", grouped, asynq.TaskStateCompleted, 20*time.Second)
	w.info("default", retry, asynq.TaskStateCompleted, 20*time.Second)
	w.until("the archived task was run and archived again", 20*time.Second, func() bool {
		return w.queue("default").FailedTotal == 3 && w.queue("default").Archived == 1
	})
	if after := w.info("default", archived, asynq.TaskStateArchived, time.Second); after.LastErr != before.LastErr {
		t.Errorf("%+v", after)
	}
	w.atRest("default")
}

func TestInspectorArchivesAndDeletesWhatIsNotActive(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	if err := w.inspector.PauseQueue("paused"); err != nil {
		t.Fatal(err)
	}
	make := map[string]func() (queue, id string){
		"pending":     func() (string, string) { return "paused", w.fill("done", "nil", `{ queue = "paused" }`) },
		"scheduled":   func() (string, string) { return "default", w.fill("done", "nil", `{ process_in = "1h" }`) },
		"aggregating": func() (string, string) { return "default", w.fill("done", "nil", `{ group = "ada" }`) },
		"retry": func() (string, string) {
			return "default", w.info("default", w.fill("fail", "nil", "{}"), asynq.TaskStateRetry, 20*time.Second).ID
		},
		"archived": func() (string, string) {
			return "default", w.info("default", w.fill("skip", "nil", "{}"), asynq.TaskStateArchived, 20*time.Second).ID
		},
		"completed": func() (string, string) {
			id := w.fill("done", "nil", `{ retention = "1h" }`)
			return "default", w.info("default", id, asynq.TaskStateCompleted, 20*time.Second).ID
		},
	}
	for state, task := range make {
		if state != "archived" && state != "completed" {
			queue, id := task()
			if err := w.inspector.ArchiveTask(queue, id); err != nil {
				t.Errorf("archive one that is %s: %v", state, err)
			}
			w.info(queue, id, asynq.TaskStateArchived, time.Second)
		}
		queue, id := task()
		if err := w.inspector.DeleteTask(queue, id); err != nil {
			t.Errorf("delete one that is %s: %v", state, err)
		}
		w.gone(queue, id, time.Second)
	}
	w.atRest("default")
}

func TestInspectorLeavesActiveTasksAlone(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	id := w.fill("long", "{ n = 1 }", "{}")
	w.info("default", id, asynq.TaskStateActive, 20*time.Second)
	for name, do := range map[string]func() error{
		"run":          func() error { return w.inspector.RunTask("default", id) },
		"archive":      func() error { return w.inspector.ArchiveTask("default", id) },
		"delete":       func() error { return w.inspector.DeleteTask("default", id) },
		"update":       func() error { return w.inspector.UpdateTaskPayload("default", id, []byte("{}")) },
		"delete queue": func() error { return w.inspector.DeleteQueue("default", false) },
		"force delete": func() error { return w.inspector.DeleteQueue("default", true) },
	} {
		if do() == nil {
			t.Errorf("%s: accepted for an active task", name)
		}
	}
	info := w.info("default", id, asynq.TaskStateActive, time.Second)
	if string(info.Payload) != `{"n":1}` || info.IsOrphaned {
		t.Errorf("%+v", info)
	}
}

func TestInspectorUpdatesThePayloadThatACrewRuns(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", `
crew.task("typed", { payload = crew.schema.object { n = crew.schema.integer {} },
  perform = function(payload) return tostring(payload.n) end })`)
	good := w.fill("typed", "{ n = 1 }", `{ process_in = "1h", retention = "1h", max_retry = 3, headers = { trace = "abc" } }`)
	bad := w.fill("typed", "{ n = 1 }", `{ process_in = "1h", retention = "1h" }`)
	for id, payload := range map[string]string{good: `{"n":2}`, bad: `{"n":"two"}`} {
		if err := w.inspector.UpdateTaskPayload("default", id, []byte(payload)); err != nil {
			t.Fatal(err)
		}
		if err := w.inspector.RunTask("default", id); err != nil {
			t.Fatal(err)
		}
	}
	done := w.info("default", good, asynq.TaskStateCompleted, 20*time.Second)
	if string(done.Result) != "2" || done.MaxRetry != 3 {
		t.Errorf("%+v, result %q", done, done.Result)
	}
	refused := w.info("default", bad, asynq.TaskStateArchived, 20*time.Second)
	if refused.LastErr != "payload.n: expected integer, got string" {
		t.Errorf("%+v", refused)
	}
}

// ---- all of a state ----

func TestInspectorRunsArchivesAndDeletesAllOfAState(t *testing.T) {
	w := newWorld(t)
	const count = 30
	fill := func(queue, options string) {
		w.lua(fmt.Sprintf(`
for i = 1, %d do assert(client:enqueue("done", { i = i }, { queue = %q, %s })) end`, count, queue, options))
	}
	expect := func(what string, n int, err error) {
		t.Helper()
		if n != count || err != nil {
			t.Errorf("%s: %d of %d, %v", what, n, count, err)
		}
	}
	fill("run", `process_in = "1h", retention = "1h"`)
	fill("run", `group = "ada", retention = "1h"`)
	fill("archive", `process_in = "1h", retention = "1h"`)
	fill("archive", `group = "ada"`)
	fill("archive", "")
	fill("delete", `process_in = "1h"`)
	fill("delete", `group = "ada"`)
	fill("delete", "")

	n, err := w.inspector.RunAllScheduledTasks("run")
	expect("run scheduled", n, err)
	n, err = w.inspector.RunAllAggregatingTasks("run", "ada")
	expect("run aggregating", n, err)
	n, err = w.inspector.ArchiveAllPendingTasks("archive")
	expect("archive pending", n, err)
	n, err = w.inspector.DeleteAllArchivedTasks("archive")
	expect("delete archived", n, err)
	n, err = w.inspector.ArchiveAllAggregatingTasks("archive", "ada")
	expect("archive aggregating", n, err)
	n, err = w.inspector.DeleteAllArchivedTasks("archive")
	expect("delete archived", n, err)
	n, err = w.inspector.ArchiveAllScheduledTasks("archive")
	expect("archive scheduled", n, err)
	n, err = w.inspector.RunAllArchivedTasks("archive")
	expect("run archived", n, err)
	n, err = w.inspector.DeleteAllPendingTasks("delete")
	expect("delete pending", n, err)
	n, err = w.inspector.DeleteAllScheduledTasks("delete")
	expect("delete scheduled", n, err)
	n, err = w.inspector.DeleteAllAggregatingTasks("delete", "ada")
	expect("delete aggregating", n, err)

	w.crew("run=1,archive=1,delete=1", movesScript)
	w.until("what was set running is completed", 20*time.Second, func() bool {
		return w.queue("run").Completed == 2*count && w.queue("archive").Completed == count
	})
	n, err = w.inspector.DeleteAllCompletedTasks("archive")
	expect("delete completed", n, err)
	if q := w.queue("delete"); q.Size != 0 || q.ProcessedTotal != 0 {
		t.Errorf("what was deleted: %+v", q)
	}
	w.atRest("run")
}

func TestInspectorRunsAndDeletesAllRetries(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	const count = 30
	w.lua(fmt.Sprintf(`for _ = 1, %d do assert(client:enqueue("fail", nil, { max_retry = 1 })) end`, count))
	w.until("all have failed once", 20*time.Second, func() bool { return w.queue("default").Retry == count })
	if n, err := w.inspector.RunAllRetryTasks("default"); n != count || err != nil {
		t.Errorf("run: %d, %v", n, err)
	}
	w.until("all have failed for the last time", 20*time.Second, func() bool { return w.queue("default").Archived == count })
	w.counters(2*count, 2*count)

	w.lua(fmt.Sprintf(`for _ = 1, %d do assert(client:enqueue("fail")) end`, 2*count))
	w.until("these have failed once too", 20*time.Second, func() bool { return w.queue("default").Retry == 2*count })
	if n, err := w.inspector.ArchiveAllRetryTasks("default"); n != 2*count || err != nil {
		t.Errorf("archive: %d, %v", n, err)
	}
	w.lua(`assert(client:enqueue("fail"))`)
	w.until("one more is to be retried", 20*time.Second, func() bool { return w.queue("default").Retry == 1 })
	if n, err := w.inspector.DeleteAllRetryTasks("default"); n != 1 || err != nil {
		t.Errorf("delete: %d, %v", n, err)
	}
	if q := w.queue("default"); q.Archived != 3*count || q.Size != 3*count {
		t.Errorf("%+v", q)
	}
}

// ---- cancel ----

func TestInspectorCancelsAHandler(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", `
crew.task("long", { perform = function(_, task)
  task:progress(0.5)
  local ok, why = pcall(crew.sleep, 600)
  if ok then return end
  if task.retried == 0 then error(why, 0) end
  return "cleaned up"
end })`)
	// One message, to a handler that has begun: what is active and has not ends without running, here and in Go.
	cancel := func(id string, state asynq.TaskState) *asynq.TaskInfo {
		w.until("its handler runs", 20*time.Second, func() bool {
			return w.raw.HExists(ctx, "asynq:{default}:t:"+id, "mc_progress").Val()
		})
		w.until("its server listens", 20*time.Second, func() bool {
			return w.raw.PubSubNumSub(ctx, "asynq:cancel").Val()["asynq:cancel"] == 1
		})
		if err := w.inspector.CancelProcessing(id); err != nil {
			t.Fatal(err)
		}
		return w.info("default", id, state, 20*time.Second)
	}
	id := w.fill("long", "nil", `{ retention = "1h" }`)
	other := w.fill("long", "nil", "{}")
	info := cancel(id, asynq.TaskStateRetry)
	if info.Retried != 1 || info.LastErr != "context canceled" {
		t.Errorf("%+v", info)
	}
	w.info("default", other, asynq.TaskStateActive, time.Second)
	if err := w.inspector.RunTask("default", id); err != nil {
		t.Fatal(err)
	}
	if done := cancel(id, asynq.TaskStateCompleted); string(done.Result) != "cleaned up" {
		t.Errorf("%+v, result %q", done, done.Result)
	}
}

func TestACancelledTaskWithoutRetriesIsArchived(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	id := w.fill("long", "nil", "{ max_retry = 0 }")
	w.info("default", id, asynq.TaskStateActive, 20*time.Second)
	w.until("it is archived", 20*time.Second, func() bool {
		if err := w.inspector.CancelProcessing(id); err != nil {
			t.Fatal(err)
		}
		info, err := w.inspector.GetTaskInfo("default", id)
		return err == nil && info.State == asynq.TaskStateArchived && info.LastErr == "context canceled"
	})
}

// ---- pause ----

func TestInspectorPausesAndUnpausesWhileACrewServes(t *testing.T) {
	w := newWorld(t)
	w.crew("first=1,second=1", `crew.task("tick", { perform = function() crew.sleep(0.02) end })`)
	const count = 4000 // two seconds of work
	w.lua(fmt.Sprintf(`
local tasks = {}
for i = 1, %d do tasks[i] = { "tick", nil, { queue = "first" } } end
for _, result in ipairs(client:enqueue_many(tasks)) do assert(result.ok, result.error) end`, count))
	w.until("it works", 20*time.Second, func() bool { return w.queue("first").ProcessedTotal > 0 })
	if err := w.inspector.PauseQueue("first"); err != nil {
		t.Fatal(err)
	}
	w.until("what was taken has ended", 20*time.Second, func() bool { return w.queue("first").Active == 0 })
	paused := w.queue("first")
	if !paused.Paused || paused.Pending+paused.ProcessedTotal != count || paused.Pending == 0 {
		t.Fatalf("%+v", paused)
	}
	// Another queue is served meanwhile, which also gives the crew the time to take what it must not.
	id := w.fill("tick", "nil", `{ queue = "second", process_in = "1s", retention = "1h" }`)
	w.info("second", id, asynq.TaskStateCompleted, 20*time.Second)
	if now := w.queue("first"); now.Pending != paused.Pending || now.Active != 0 {
		t.Errorf("paused with %d pending, now %d and %d active", paused.Pending, now.Pending, now.Active)
	}
	unpaused := time.Now()
	if err := w.inspector.UnpauseQueue("first"); err != nil {
		t.Fatal(err)
	}
	w.until("it works again", 20*time.Second, func() bool { return w.queue("first").Pending < paused.Pending })
	if took := time.Since(unpaused); took > 2*time.Second {
		t.Errorf("it worked again only after %v", took)
	}
	w.until("all is done", 30*time.Second, func() bool { return w.queue("first").ProcessedTotal == count })
	w.atRest("first")
}

// ---- queues ----

func TestInspectorRemovesQueuesThatACrewFilled(t *testing.T) {
	w := newWorld(t)
	w.fill("done", "nil", `{ queue = "full", unique = "1h" }`)
	w.fill("done", "nil", `{ queue = "full", process_in = "1h" }`)
	w.fill("done", "nil", `{ queue = "full", group = "ada" }`)
	w.fill("done", "nil", `{ queue = "other" }`)
	if err := w.inspector.DeleteQueue("full", false); !errors.Is(err, asynq.ErrQueueNotEmpty) {
		t.Errorf("a queue with tasks: %v", err)
	}
	if err := w.inspector.DeleteQueue("none", false); !errors.Is(err, asynq.ErrQueueNotFound) {
		t.Errorf("no queue: %v", err)
	}
	if _, err := w.inspector.DeleteAllAggregatingTasks("full", "ada"); err != nil { // asynq does not remove groups by force
		t.Fatal(err)
	}
	if err := w.inspector.DeleteQueue("full", true); err != nil {
		t.Fatal(err)
	}
	queues, err := w.inspector.Queues()
	if err != nil || strings.Join(queues, " ") != "other" {
		t.Errorf("left: %v, %v", queues, err)
	}
}

func TestACrewServesAndFillsAQueueThatWasRemoved(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", `
crew.task("done", { perform = function() end })
crew.task("parent", { perform = function()
  return assert(crew.enqueue("child", nil, { queue = "other" })).id
end })`)
	w.gone("default", w.fill("done", "nil", "{}"), 20*time.Second)
	for round := 1; round <= 2; round++ {
		parent := w.fill("parent", "nil", `{ retention = "1h" }`)
		child := w.info("default", parent, asynq.TaskStateCompleted, 20*time.Second).Result
		w.info("other", string(child), asynq.TaskStatePending, time.Second)
		queues, err := w.inspector.Queues()
		slices.Sort(queues)
		if err != nil || strings.Join(queues, " ") != "default other" {
			t.Errorf("round %d: %v, %v", round, queues, err)
		}
		for _, queue := range []string{"default", "other"} {
			if err := w.inspector.DeleteQueue(queue, true); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestInspectorPagesThroughACrewsTasks(t *testing.T) {
	w := newWorld(t)
	w.lua(`for i = 1, 25 do assert(client:enqueue("t", { i = i }, { task_id = ("t%02d"):format(i) })) end`)
	var ids []string
	for page := 1; page <= 3; page++ {
		tasks, err := w.inspector.ListPendingTasks("default", asynq.PageSize(10), asynq.Page(page))
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			ids = append(ids, task.ID)
			if want := fmt.Sprintf(`{"i":%d}`, len(ids)); string(task.Payload) != want {
				t.Errorf("%s: payload %s, not %s", task.ID, task.Payload, want)
			}
		}
	}
	for i, id := range ids {
		if id != fmt.Sprintf("t%02d", i+1) {
			t.Fatalf("listed as %v", ids)
		}
	}
	if len(ids) != 25 {
		t.Errorf("%d listed", len(ids))
	}
}

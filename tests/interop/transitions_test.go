package interop

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// Every way in which a crew moves a task from one state to another, read back through asynq.Inspector.

const movesScript = `
crew.task("done", { perform = function() end })
crew.task("result", { perform = function() return { kept = true } end })
crew.task("fail", { retry = "1h", perform = function() error("it broke", 0) end })
crew.task("twice", { retry = "1s", perform = function(_, task)
  if task.retried == 0 then error("the first run fails", 0) end
  return "after " .. task.retried
end })
crew.task("twice_late", { retry = "1h", perform = function(_, task)
  if task.retried == 0 then error("the first run fails", 0) end
end })
crew.task("retry_in", { perform = function(_, task) task:retry_in("2h", "the other side is down") end })
crew.task("skip", { perform = function(_, task) task:skip_retry("no use") end })
crew.task("revoke", { perform = function(_, task) task:revoke("not wanted") end })
crew.task("snooze", { perform = function(_, task) task:snooze("1h") end })
crew.task("snooze_once", { perform = function(payload, task)
  if os.time() < payload.until_s then task:snooze(payload.until_s - os.time()) end
  return "awake"
end })
crew.task("long", { perform = function() crew.sleep(600) end })`

func (w *world) counters(processed, failed int) {
	w.t.Helper()
	if q := w.queue("default"); q.ProcessedTotal != processed || q.FailedTotal != failed ||
		q.Processed != processed || q.Failed != failed {
		w.t.Errorf("counted %d processed, %d failed, today %d and %d; should be %d and %d", q.ProcessedTotal, q.FailedTotal,
			q.Processed, q.Failed, processed, failed)
	}
	w.atRest("default")
}

func (w *world) checkDue(info *asynq.TaskInfo, in time.Duration) {
	w.t.Helper()
	if left := time.Until(info.NextProcessAt); left > in+time.Second || left < in-30*time.Second {
		w.t.Errorf("due in %v, not %v", left, in)
	}
}

func TestADoneTaskIsGone(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	w.gone("default", w.enqueue("done", nil).ID, 20*time.Second)
	w.counters(1, 0)
}

func TestADoneTaskThatIsRetainedIsCompleted(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	plain := w.info("default", w.enqueue("done", nil, asynq.Retention(time.Hour)).ID, asynq.TaskStateCompleted, 20*time.Second)
	if plain.Result != nil || time.Since(plain.CompletedAt) > time.Minute || plain.LastErr != "" || !plain.LastFailedAt.IsZero() {
		t.Errorf("%+v", plain)
	}
	result := w.info("default", w.enqueue("result", nil, asynq.Retention(time.Hour)).ID, asynq.TaskStateCompleted, 20*time.Second)
	if string(result.Result) != `{"kept":true}` {
		t.Errorf("result %q", result.Result)
	}
	w.counters(2, 0)
}

func TestAFailedTaskIsRetriedLater(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	info := w.info("default", w.enqueue("fail", nil).ID, asynq.TaskStateRetry, 20*time.Second)
	if info.Retried != 1 || info.MaxRetry != 25 || info.LastErr != "it broke" || time.Since(info.LastFailedAt) > time.Minute {
		t.Errorf("%+v", info)
	}
	w.checkDue(info, time.Hour)
	other := w.info("default", w.enqueue("retry_in", nil).ID, asynq.TaskStateRetry, 20*time.Second)
	if other.Retried != 1 || other.LastErr != "the other side is down" {
		t.Errorf("%+v", other)
	}
	w.checkDue(other, 2*time.Hour)
	w.counters(2, 2)
}

func TestATaskThatFailedOnceIsCompletedAtLast(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	info := w.info("default", w.enqueue("twice", nil, asynq.Retention(time.Hour)).ID, asynq.TaskStateCompleted, 20*time.Second)
	if string(info.Result) != "after 1" || info.Retried != 1 || info.LastErr != "the first run fails" {
		t.Errorf("%+v, result %q", info, info.Result)
	}
	w.counters(2, 1)
}

func TestATaskWithoutRetriesLeftIsArchived(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	for _, c := range []struct {
		kind, reason string
		options      []asynq.Option
	}{
		{"fail", "it broke", []asynq.Option{asynq.MaxRetry(0)}},
		{"skip", "no use", nil},
	} {
		info := w.info("default", w.enqueue(c.kind, nil, c.options...).ID, asynq.TaskStateArchived, 20*time.Second)
		if info.Retried != 0 || info.LastErr != c.reason || time.Since(info.LastFailedAt) > time.Minute {
			t.Errorf("%s: %+v", c.kind, info)
		}
	}
	w.counters(2, 2)
}

func TestARevokedTaskIsGoneAndNoFailure(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	w.gone("default", w.enqueue("revoke", nil).ID, 20*time.Second)
	w.counters(1, 0)
}

func TestASnoozedTaskIsScheduledAndCountsNothing(t *testing.T) {
	w := newWorld(t)
	id := w.enqueue("snooze", nil).ID
	w.crew("default=1", movesScript)
	info := w.info("default", id, asynq.TaskStateScheduled, 20*time.Second)
	if info.Retried != 0 || info.LastErr != "" || !info.LastFailedAt.IsZero() {
		t.Errorf("%+v", info)
	}
	w.checkDue(info, time.Hour)
	w.counters(0, 0)
}

func TestASnoozedTaskRunsAgain(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	id := w.fill("snooze_once", "{ until_s = os.time() + 2 }", `{ retention = "1h" }`)
	info := w.info("default", id, asynq.TaskStateCompleted, 20*time.Second)
	if string(info.Result) != "awake" || info.Retried != 0 {
		t.Errorf("%+v, result %q", info, info.Result)
	}
	w.counters(1, 0)
}

func TestAScheduledTaskBecomesPendingAndIsRun(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	id := w.fill("done", "nil", `{ process_in = "2s", retention = "1h" }`)
	w.checkDue(w.info("default", id, asynq.TaskStateScheduled, time.Second), 2*time.Second)
	w.info("default", id, asynq.TaskStateCompleted, 20*time.Second)
	w.counters(1, 0)
}

func TestAStoppedCrewPutsItsTasksBack(t *testing.T) {
	w := newWorld(t)
	crew := w.crew("default=1", movesScript, "--shutdown-timeout", "0s")
	first, second := w.enqueue("long", nil).ID, w.enqueue("long", nil).ID
	w.info("default", first, asynq.TaskStateActive, 20*time.Second)
	w.info("default", second, asynq.TaskStateActive, 20*time.Second)
	third := w.fill("long", "nil", `{ process_in = "1h" }`)
	w.stop(crew)
	for _, id := range []string{first, second} {
		info := w.info("default", id, asynq.TaskStatePending, time.Second)
		if info.Retried != 0 || info.LastErr != "" {
			t.Errorf("%+v", info)
		}
	}
	w.info("default", third, asynq.TaskStateScheduled, time.Second)
	w.counters(0, 0)
	if q := w.queue("default"); q.Pending != 2 || q.Latency > time.Minute {
		t.Errorf("%+v", q)
	}
}

func TestATaskThatKillsItsWorkersIsArchivedWithoutARetry(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", `
local ffi = require "ffi"
ffi.cdef "int raise(int number);"
crew.task("crash", { perform = function() ffi.C.raise(9) end })`)
	info := w.info("default", w.enqueue("crash", nil).ID, asynq.TaskStateArchived, 30*time.Second)
	if info.Retried != 0 || !strings.HasPrefix(info.LastErr, "the worker died of signal 9") {
		t.Errorf("%+v", info)
	}
	w.counters(1, 1)
}

func TestAnOrphanIsTakenOverByAnotherCrew(t *testing.T) {
	w := newWorld(t)
	crew := w.crew("default=1", movesScript)
	id := w.enqueue("long", nil).ID
	w.info("default", id, asynq.TaskStateActive, 20*time.Second)
	crew.Process.Signal(syscall.SIGKILL)
	crew.Wait()
	// asynq's inspector calls it orphaned when its lease is over: here, because the lease is taken into the past.
	if err := w.raw.ZIncrBy(ctx, "asynq:{default}:lease", -60, id).Err(); err != nil {
		t.Fatal(err)
	}
	active, err := w.inspector.ListActiveTasks("default")
	if err != nil || len(active) != 1 || !active[0].IsOrphaned {
		t.Fatalf("%+v, %v", active, err)
	}
	w.crew("default=1", movesScript)
	w.until("the new crew runs it", 20*time.Second, func() bool {
		active, err := w.inspector.ListActiveTasks("default")
		return err == nil && len(active) == 1 && !active[0].IsOrphaned && active[0].Retried == 0
	})
}

// ---- tasks that wait in a group ----

func TestACrewsGroupedTaskIsAggregating(t *testing.T) {
	w := newWorld(t)
	id := w.fill("mail", "{ n = 1 }", `{ group = "ada", queue = "mails" }`)
	info := w.info("mails", id, asynq.TaskStateAggregating, time.Second)
	if info.Group != "ada" {
		t.Errorf("%+v", info)
	}
	groups, err := w.inspector.Groups("mails")
	if err != nil || len(groups) != 1 || groups[0].Group != "ada" || groups[0].Size != 1 {
		t.Errorf("groups: %+v, %v", groups, err)
	}
	listed, err := w.inspector.ListAggregatingTasks("mails", "ada")
	if err != nil || len(listed) != 1 || listed[0].ID != id {
		t.Errorf("listed: %+v, %v", listed, err)
	}
	if q := w.queue("mails"); q.Aggregating != 1 || q.Groups != 1 || q.Size != 1 {
		t.Errorf("the queue: %+v", q)
	}
}

// asynq keeps no group for a task that is scheduled: when it is due it runs alone.
func TestAScheduledTaskOfAGroupRunsAlone(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	ours := w.fill("done", "{ n = 1 }", `{ group = "ada", process_in = "1s", retention = "1h" }`)
	theirs := w.enqueue("done", nil, asynq.Group("ada"), asynq.ProcessIn(time.Second), asynq.Retention(time.Hour)).ID
	for _, id := range []string{ours, theirs} {
		info := w.info("default", id, asynq.TaskStateCompleted, 20*time.Second)
		if info.Group != "ada" {
			t.Errorf("%+v", info)
		}
	}
}

func TestATaskOfAGroupThatFailsGoesBackToItsGroup(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	id := w.fill("twice", "{ n = 1 }", `{ group = "ada" }`)
	if err := w.inspector.RunTask("default", id); err != nil {
		t.Fatal(err)
	}
	w.until("it has failed and is back in its group", 20*time.Second, func() bool {
		info, err := w.inspector.GetTaskInfo("default", id)
		return err == nil && info.State == asynq.TaskStateAggregating && info.Group == "ada" && info.Retried == 1
	})
}

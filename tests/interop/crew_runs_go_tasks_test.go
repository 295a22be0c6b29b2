package interop

import (
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

func TestFailuresOfACrewReadLikeAsynqs(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", `
crew.task("fail", { perform = function() error("no such user") end })
crew.task("typed", { payload = crew.schema.object { n = crew.schema.integer {} }, perform = function() end })`)
	retried := w.info("default", w.enqueue("fail", nil).ID, asynq.TaskStateRetry, 20*time.Second)
	if retried.Retried != 1 || time.Since(retried.LastFailedAt) > time.Minute || retried.NextProcessAt.Before(time.Now()) {
		t.Errorf("after a failure: %+v", retried)
	}
	archived := w.info("default", w.enqueue("fail", nil, asynq.MaxRetry(0)).ID, asynq.TaskStateArchived, 20*time.Second)
	if archived.LastErr == "" {
		t.Errorf("the archive keeps no reason")
	}
	invalid := w.info("default", w.enqueue("typed", []byte(`{"n":"x"}`)).ID, asynq.TaskStateArchived, 20*time.Second)
	if invalid.LastErr != "payload.n: expected integer, got string" || invalid.Retried != 0 {
		t.Errorf("an invalid payload: %q, retried %d", invalid.LastErr, invalid.Retried)
	}
	queue, err := w.inspector.GetQueueInfo("default")
	if err != nil {
		t.Fatal(err)
	}
	if queue.Archived != 2 || queue.Retry != 1 || queue.Failed != 3 || queue.Active != 0 {
		t.Errorf("the queue: %+v", queue)
	}
}

func TestACrewRunsWhatAGoSchedulerEnqueues(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", `crew.task("tick", { perform = function() return "done" end })`)
	scheduler := asynq.NewScheduler(w.redis, &asynq.SchedulerOpts{LogLevel: asynq.FatalLevel})
	if _, err := scheduler.Register("@every 1s", asynq.NewTask("tick", nil), asynq.Retention(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := scheduler.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scheduler.Shutdown)
	w.until("two ticks were run", 20*time.Second, func() bool {
		tasks, err := w.inspector.ListCompletedTasks("default")
		return err == nil && len(tasks) >= 2
	})
}

package interop

import (
	"os"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

const statesScript = `
crew.task("done", { perform = function() return "kept" end })
crew.task("long", { perform = function() crew.sleep(600) end })
crew.task("fail", { perform = function() error("it broke") end })
crew.task("skip", { perform = function(_, task) task:skip_retry("no use") end })`

func TestInspectorSeesEveryState(t *testing.T) {
	w := newWorld(t)
	id := func(kind, options string) string {
		return w.lua(`print(assert(client:enqueue("` + kind + `", { n = 1 }, ` + options + `)).id)`)
	}
	scheduled := id("done", `{ process_in = "1h" }`)
	completed := id("done", `{ retention = "1h" }`)
	active := id("long", `{}`)
	retry := id("fail", `{}`)
	archived := id("skip", `{}`)
	pending := id("done", `{ queue = "paused" }`)
	if err := w.inspector.PauseQueue("paused"); err != nil {
		t.Fatal(err)
	}
	w.crew("default=2,paused=1", statesScript)

	w.info("default", completed, asynq.TaskStateCompleted, 20*time.Second)
	w.info("default", retry, asynq.TaskStateRetry, 20*time.Second)
	w.info("default", archived, asynq.TaskStateArchived, 20*time.Second)
	w.info("default", scheduled, asynq.TaskStateScheduled, time.Second)
	w.info("paused", pending, asynq.TaskStatePending, time.Second)
	running := w.info("default", active, asynq.TaskStateActive, 20*time.Second)
	if running.IsOrphaned {
		t.Error("the active task is called orphaned")
	}

	queue, err := w.inspector.GetQueueInfo("default")
	if err != nil {
		t.Fatal(err)
	}
	if queue.Size != 4+1 || queue.Completed != 1 || queue.Active != 1 || queue.Retry != 1 || queue.Archived != 1 ||
		queue.Scheduled != 1 || queue.Processed != 3 || queue.Failed != 2 {
		t.Errorf("the queue: %+v", queue)
	}
	days, err := w.inspector.History("default", 1)
	if err != nil || len(days) != 1 || days[0].Processed != 3 || days[0].Failed != 2 {
		t.Errorf("today: %v, %v", days, err)
	}
}

func TestInspectorListsTheCrew(t *testing.T) {
	w := newWorld(t)
	crew := w.crew("critical=6,default=3", statesScript, "--shutdown-timeout", "0s")
	id := w.lua(`print(assert(client:enqueue("long", { n = 1 }, { timeout = "10m" })).id)`)
	var server *asynq.ServerInfo
	w.until("the crew and its task are listed", 20*time.Second, func() bool {
		servers, err := w.inspector.Servers()
		if err != nil || len(servers) != 1 || len(servers[0].ActiveWorkers) != 1 {
			return false
		}
		server = servers[0]
		return true
	})
	host, _ := os.Hostname()
	if server.PID != crew.Process.Pid || server.Host != host || server.Status != "active" || server.StrictPriority ||
		server.Concurrency != 40 || len(server.Queues) != 2 || server.Queues["critical"] != 6 || server.Queues["default"] != 3 {
		t.Errorf("the server: %+v", server)
	}
	if age := time.Since(server.Started); age < 0 || age > time.Minute {
		t.Errorf("started %v", server.Started)
	}
	worker := server.ActiveWorkers[0]
	if worker.TaskID != id || worker.TaskType != "long" || string(worker.TaskPayload) != `{"n":1}` || worker.Queue != "default" {
		t.Errorf("the worker: %+v", worker)
	}
	if left := time.Until(worker.Deadline); left < 9*time.Minute || left > 10*time.Minute {
		t.Errorf("its deadline is in %v", left)
	}

	w.stop(crew)
	w.until("the crew has left the list", 5*time.Second, func() bool {
		servers, err := w.inspector.Servers()
		return err == nil && len(servers) == 0
	})
	w.info("default", id, asynq.TaskStatePending, time.Second)
}

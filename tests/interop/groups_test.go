package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

const foldScript = `
crew.task("sum", { retention = "1h", perform = function(payload) return payload end })
crew.aggregate { group = "sums:*", grace_period = "1s", max_size = 5, type = "sum", fold = function(payloads, group, tasks)
  local numbers = crew.array {}
  for i, payload in ipairs(payloads) do numbers[i] = payload.n end
  return { group = group, numbers = numbers, header = tasks[1].headers.trace, type = tasks[1].type }
end }
crew.aggregate { group = "broken", grace_period = "1s", type = "sum", fold = function() error("no") end }`

type sum struct {
	Group   string `json:"group"`
	Numbers []int  `json:"numbers"`
	Header  string `json:"header"`
	Type    string `json:"type"`
}

func enqueueInGroup(w *world, group string, n int) *asynq.TaskInfo {
	w.t.Helper()
	task := asynq.NewTaskWithHeaders("number", []byte(fmt.Sprintf(`{"n":%d}`, n)), map[string]string{"trace": "abc"})
	info, err := w.client.Enqueue(task, asynq.Group(group), asynq.Retention(time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	return info
}

func groupSizes(w *world) string {
	groups, err := w.inspector.Groups("default")
	if err != nil {
		return err.Error()
	}
	sort.Slice(groups, func(i, j int) bool { return groups[i].Group < groups[j].Group })
	text := ""
	for _, group := range groups {
		text += fmt.Sprintf("%s=%d ", group.Group, group.Size)
	}
	return text
}

func TestCrewFoldsGroupsOfTheGoClient(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 7; n++ {
		if state := enqueueInGroup(w, "sums:a", n).State; state != asynq.TaskStateAggregating {
			t.Fatalf("a grouped task is %v", state)
		}
	}
	enqueueInGroup(w, "other", 1)
	if got := groupSizes(w); got != "other=1 sums:a=7 " {
		t.Fatalf("groups before: %q", got)
	}
	w.crew("default=1", foldScript)
	var done []*asynq.TaskInfo
	w.until("two folded tasks are done", 20*time.Second, func() bool {
		done, _ = w.inspector.ListCompletedTasks("default")
		return len(done) == 2
	})
	numbers := []int{}
	for _, info := range done {
		var got sum
		if err := json.Unmarshal(info.Result, &got); err != nil {
			t.Fatal(err)
		}
		if got.Group != "sums:a" || got.Header != "abc" || got.Type != "number" || info.Group != "" {
			t.Errorf("folded: %+v of group %q", got, info.Group)
		}
		numbers = append(numbers, got.Numbers...)
	}
	sort.Ints(numbers)
	if fmt.Sprint(numbers) != "[1 2 3 4 5 6 7]" {
		t.Errorf("numbers folded: %v", numbers)
	}
	if got := groupSizes(w); got != "other=1 " {
		t.Errorf("groups after: %q", got)
	}
}

func TestTheInspectorSeesWhatCouldNotBeFoldedAndRunsItAlone(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", foldScript+`crew.task("number", { perform = function(p) return { n = p.n } end })`)
	info := enqueueInGroup(w, "broken", 3)
	w.until("the fold has failed", 20*time.Second, func() bool {
		stats := w.run(exec.Command(setting(t, "MOONCREW"), "stats", "--json", "--redis", w.url()))
		return strings.Contains(stats, `"failing_folds":1,`)
	})
	w.until("the group stands as before", 20*time.Second, func() bool { return groupSizes(w) == "broken=1 " })
	tasks, err := w.inspector.ListAggregatingTasks("default", "broken")
	if err != nil || len(tasks) != 1 || tasks[0].ID != info.ID {
		t.Fatalf("aggregating: %v, %v", tasks, err)
	}
	w.until("it runs alone", 20*time.Second, func() bool { return w.inspector.RunTask("default", info.ID) == nil })
	w.info("default", info.ID, asynq.TaskStateCompleted, 20*time.Second)
}

func TestGoFoldsGroupsOfALuaClient(t *testing.T) {
	w := newWorld(t)
	w.lua(`for n = 1, 3 do assert(client:enqueue("number", { n = n }, { group = "g" })) end`)
	server := asynq.NewServer(w.redis, asynq.Config{
		GroupGracePeriod: time.Second,
		GroupMaxSize:     3,
		GroupAggregator: asynq.GroupAggregatorFunc(func(group string, tasks []*asynq.Task) *asynq.Task {
			return asynq.NewTask("sum", []byte(fmt.Sprintf(`{"group":%q,"count":%d}`, group, len(tasks))))
		}),
		LogLevel: asynq.FatalLevel,
	})
	ran := make(chan string, 10)
	handler := asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		ran <- task.Type() + " " + string(task.Payload())
		return nil
	})
	if err := server.Start(handler); err != nil {
		t.Fatal(err)
	}
	defer server.Shutdown()
	select {
	case got := <-ran:
		if got != `sum {"group":"g","count":3}` {
			t.Errorf("Go ran %q", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Go folded nothing")
	}
}

package interop

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// Uniqueness holds between both sides: the locks have the same names, and each side releases and keeps the other's.

func (w *world) locks(queue string) map[string]string {
	w.t.Helper()
	prefix := "asynq:{" + queue + "}:unique:"
	keys, err := w.raw.Keys(ctx, prefix+"*").Result()
	if err != nil {
		w.t.Fatal(err)
	}
	locks := map[string]string{}
	for _, key := range keys {
		holder, err := w.raw.Get(ctx, key).Result()
		if err != nil {
			w.t.Fatal(err)
		}
		locks[strings.TrimPrefix(key, prefix)] = holder
	}
	return locks
}

func names(locks map[string]string) string {
	var all []string
	for name := range locks {
		all = append(all, name)
	}
	sort.Strings(all)
	return strings.Join(all, " ")
}

// isDuplicate tries to enqueue by asynq's client; what is accepted by mistake is left where it does no harm.
func (w *world) isDuplicate(kind, payload string) bool {
	w.t.Helper()
	var bytes []byte // nil when there is no payload
	bytes = append(bytes, payload...)
	_, err := w.client.Enqueue(asynq.NewTask(kind, bytes), asynq.Unique(time.Hour), asynq.ProcessIn(time.Hour))
	if err != nil && !errors.Is(err, asynq.ErrDuplicateTask) {
		w.t.Fatal(err)
	}
	return err != nil
}

func (w *world) isDuplicateInLua(kind, payload string) bool {
	w.t.Helper()
	answer := w.lua(fmt.Sprintf(`
local info, message, code = client:enqueue(%q, %s, { unique = "1h", process_in = "1h" })
print(info and "accepted" or code)`, kind, payload))
	if answer != "accepted" && answer != "DUPLICATE_TASK" {
		w.t.Fatal(answer)
	}
	return answer == "DUPLICATE_TASK"
}

func TestLocksHaveTheSameNamesForTheSameBytes(t *testing.T) {
	w := newWorld(t)
	// An empty payload that is not nil has another name in Go, though nobody can tell the tasks apart any more once they
	// are stored. For mooncrew a payload of no bytes is none.
	for _, c := range []struct {
		payload []byte
		lua     string
	}{
		{[]byte(`{"a":1,"b":[]}`), `{ b = json.array {}, a = 1 }`},
		{[]byte(`[1.5,"ü"]`), `{ 1.5, "ü" }`},
		{[]byte("\x00\xff any bytes"), `"\0\255 any bytes"`},
		{nil, "nil"},
	} {
		_, err := w.client.Enqueue(asynq.NewTask("t", c.payload), asynq.Queue("go"), asynq.Unique(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		w.fill("t", c.lua, `{ queue = "lua", unique = "1h" }`)
	}
	byGo, byLua := w.locks("go"), w.locks("lua")
	if names(byGo) != names(byLua) || len(byGo) != 4 {
		t.Errorf("by Go: %s\nby Lua: %s", names(byGo), names(byLua))
	}
	byC := w.c("t", `{"a":1}`, "queue=c", "unique=3600")
	if _, err := w.client.Enqueue(asynq.NewTask("t", []byte(`{"a":1}`)), asynq.Queue("go-2"), asynq.Unique(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if names(w.locks("c")) != names(w.locks("go-2")) || w.locks("c")[names(w.locks("c"))] != byC {
		t.Errorf("by C: %v, by Go: %v", w.locks("c"), w.locks("go-2"))
	}
}

func TestLocksLastAsLong(t *testing.T) {
	w := newWorld(t)
	w.fill("now", "nil", `{ unique = "100s" }`)
	w.fill("later", "nil", `{ unique = "100s", process_in = "1000s" }`)
	w.fill("grouped", "nil", `{ unique = "100s", group = "ada" }`)
	for kind, want := range map[string]time.Duration{"now": 100 * time.Second, "later": 1100 * time.Second,
		"grouped": 100 * time.Second} {
		ttl, err := w.raw.TTL(ctx, "asynq:{default}:unique:"+kind+":").Result()
		if err != nil || ttl > want+time.Second || ttl < want-30*time.Second {
			t.Errorf("%s: the lock lasts %v, not %v (%v)", kind, ttl, want, err)
		}
	}
}

func TestUniqueHoldsBetweenGoAndLua(t *testing.T) {
	w := newWorld(t)
	w.enqueue("t", []byte(`{"a":1,"b":[]}`), asynq.Unique(time.Hour))
	if !w.isDuplicateInLua("t", `{ b = json.array {}, a = 1 }`) {
		t.Error("Lua after Go: accepted")
	}
	w.fill("t", "{ n = 2 }", `{ unique = "1h" }`)
	if !w.isDuplicate("t", `{"n":2}`) {
		t.Error("Go after Lua: accepted")
	}
}

// A task that one side enqueued and the other one ends: the lock is free again, and was not before.
func TestACrewReleasesLocksOfTheGoClient(t *testing.T) {
	w := newWorld(t)
	cases := map[string][]asynq.Option{"done": nil, "result": {asynq.Retention(time.Hour)}, "revoke": nil}
	for kind, options := range cases {
		w.enqueue(kind, []byte("{}"), append(options, asynq.Unique(time.Hour))...)
		if !w.isDuplicate(kind, "{}") {
			t.Errorf("%s: no lock while it waits", kind)
		}
	}
	w.crew("default=1", movesScript)
	w.until("all are done", 20*time.Second, func() bool { return w.queue("default").ProcessedTotal == len(cases) })
	if locks := w.locks("default"); len(locks) > 0 {
		t.Errorf("locks that are left: %v", locks)
	}
}

func TestGoReleasesLocksOfACrewsClient(t *testing.T) {
	w := newWorld(t)
	w.fill("done", "nil", `{ unique = "1h" }`)
	w.fill("result", "nil", `{ unique = "1h", retention = "1h" }`)
	if locks := w.locks("default"); len(locks) != 2 {
		t.Errorf("locks: %v", locks)
	}
	w.serve(map[string]int{"default": 1})
	w.until("both are done", 20*time.Second, func() bool { return w.queue("default").ProcessedTotal == 2 })
	if locks := w.locks("default"); len(locks) > 0 {
		t.Errorf("locks that are left: %v", locks)
	}
}

// What waits, runs, is to be tried again, sleeps or was archived by a crew still holds its lock.
func TestACrewKeepsTheLockUntilTheTaskIsDone(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	for kind, state := range map[string]asynq.TaskState{"long": asynq.TaskStateActive, "fail": asynq.TaskStateRetry,
		"snooze": asynq.TaskStateScheduled, "skip": asynq.TaskStateArchived} {
		id := w.enqueue(kind, []byte("{}"), asynq.Unique(time.Hour)).ID
		w.info("default", id, state, 20*time.Second)
		if !w.isDuplicate(kind, "{}") || !w.isDuplicateInLua(kind, "{}") {
			t.Errorf("%s: the lock is free", kind)
		}
	}
}

func TestTheLockOfAnArchivedTaskEndsWithItsTime(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	id := w.enqueue("skip", nil, asynq.Unique(time.Hour)).ID
	w.info("default", id, asynq.TaskStateArchived, 20*time.Second)
	lock := "asynq:{default}:unique:skip:"
	ttl, err := w.raw.TTL(ctx, lock).Result()
	if err != nil || ttl > time.Hour || ttl < time.Hour-time.Minute {
		t.Errorf("the lock lasts %v more, %v", ttl, err)
	}
	if err := w.raw.PExpire(ctx, lock, time.Millisecond).Err(); err != nil { // its hour is over
		t.Fatal(err)
	}
	w.until("the lock is free", 5*time.Second, func() bool { return len(w.locks("default")) == 0 })
	if w.isDuplicate("skip", "") {
		t.Error("it is refused still")
	}
	w.info("default", id, asynq.TaskStateArchived, time.Second)
}

func TestInspectorFreesTheLockOfWhatItDeletes(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", movesScript)
	archived := w.fill("skip", "nil", `{ unique = "1h" }`)
	w.info("default", archived, asynq.TaskStateArchived, 20*time.Second)
	scheduled := w.fill("done", "nil", `{ unique = "1h", process_in = "1h" }`)
	for _, id := range []string{archived, scheduled} {
		if err := w.inspector.DeleteTask("default", id); err != nil {
			t.Fatal(err)
		}
	}
	if locks := w.locks("default"); len(locks) > 0 {
		t.Errorf("locks that are left: %v", locks)
	}
}

// A lock whose time was over may be another task's by now.
func TestALockOfAnotherTaskIsLeftAlone(t *testing.T) {
	for name, run := range map[string]func(w *world){
		"by a crew": func(w *world) { w.crew("default=1", movesScript) },
		"by Go": func(w *world) {
			w.handle(map[string]int{"default": 1}, func(context.Context, *asynq.Task) error { return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fill("done", "nil", `{ unique = "1h" }`)
			if err := w.raw.Del(ctx, "asynq:{default}:unique:done:").Err(); err != nil { // its time is over
				t.Fatal(err)
			}
			second := w.enqueue("done", nil, asynq.Unique(time.Hour), asynq.ProcessIn(time.Hour)).ID
			run(w)
			w.until("the first one is done", 20*time.Second, func() bool { return w.queue("default").ProcessedTotal == 1 })
			if locks := w.locks("default"); len(locks) != 1 || locks["done:"] != second {
				t.Errorf("locks: %v; %s should hold one", locks, second)
			}
		})
	}
}

// asynq leaves the lock behind when the id is taken; mooncrew gives it back.
func TestAConflictOfIdsLeavesNoLock(t *testing.T) {
	w := newWorld(t)
	w.enqueue("t", []byte("1"), asynq.TaskID("mine"))
	code := w.lua(`print(select(3, client:enqueue("t", 2, { task_id = "mine", unique = "1h" })))`)
	if code != "TASK_ID_CONFLICT" {
		t.Errorf("the id is taken: %s", code)
	}
	if w.isDuplicate("t", "2") {
		t.Error("a lock is left")
	}
}

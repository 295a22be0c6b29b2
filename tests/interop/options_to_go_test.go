package interop

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// Every option of mooncrew's three ways to enqueue (Lua, C, command line), as a handler in Go is told of it by asynq's
// context getters.

// Named as in Lua; in C and on the command line the names are the same but for their form. The values are as Lua takes
// them; all durations are whole seconds.
type crewOptions map[string]string

var ways = map[string]func(w *world, kind, payload string, options crewOptions) string{
	"Lua": func(w *world, kind, payload string, options crewOptions) string {
		var text strings.Builder
		for name, value := range options {
			if header, found := strings.CutPrefix(name, "header:"); found {
				fmt.Fprintf(&text, "headers = { [%q] = %q }, ", header, value)
			} else if _, err := strconv.Atoi(value); err == nil {
				fmt.Fprintf(&text, "%s = %s, ", name, value)
			} else {
				fmt.Fprintf(&text, "%s = %q, ", name, value)
			}
		}
		return w.lua(fmt.Sprintf(`
local ok, payload = json.decode(%q)
assert(ok, payload)
print(assert(client:enqueue(%q, payload, { %s })).id)`, payload, kind, text.String()))
	},
	"C": func(w *world, kind, payload string, options crewOptions) string {
		arguments := []string{kind, payload}
		for name, value := range options {
			arguments = append(arguments, name+"="+value)
		}
		return w.c(arguments...)
	},
	"the command line": func(w *world, kind, payload string, options crewOptions) string {
		arguments := []string{"enqueue", kind, payload, "--redis", w.url(), "--json"}
		for name, value := range options {
			if header, found := strings.CutPrefix(name, "header:"); found {
				arguments = append(arguments, "--header", header+"="+value)
			} else {
				arguments = append(arguments, "--"+strings.ReplaceAll(name, "_", "-"), value)
			}
		}
		var info struct{ ID string }
		output := w.run(exec.Command(setting(w.t, "MOONCREW"), arguments...))
		if err := json.Unmarshal([]byte(output), &info); err != nil {
			w.t.Fatalf("mooncrew enqueue --json: %v in %s", err, output)
		}
		return info.ID
	},
}

type crewCase struct {
	name      string
	options   crewOptions
	want      delivery
	notBefore time.Time
}

func crewCases(now time.Time) []crewCase {
	at := func(later time.Duration) string { return strconv.FormatInt(now.Add(later).Unix(), 10) }
	cases := []crewCase{
		{name: "defaults"},
		{name: "queue", options: crewOptions{"queue": "critical"}, want: delivery{queue: "critical"}},
		{name: "max retry", options: crewOptions{"max_retry": "3"}, want: delivery{maxRetry: 3}},
		{name: "task id", options: crewOptions{"task_id": "my id/ü"}, want: delivery{id: "my id/ü"}},
		{name: "timeout", options: crewOptions{"timeout": "90"}, want: delivery{left: 90 * time.Second}},
		{name: "deadline", options: crewOptions{"deadline": at(10 * time.Minute)}, want: delivery{left: 10 * time.Minute}},
		{name: "timeout before deadline", options: crewOptions{"timeout": "60", "deadline": at(time.Hour)},
			want: delivery{left: time.Minute}},
		{name: "deadline before timeout", options: crewOptions{"timeout": "3600", "deadline": at(10 * time.Minute)},
			want: delivery{left: 10 * time.Minute}},
		{name: "unique", options: crewOptions{"unique": "3600"}},
		{name: "process in", options: crewOptions{"process_in": "1"}, notBefore: now.Add(time.Second)},
		{name: "process at", options: crewOptions{"process_at": at(2 * time.Second)},
			notBefore: now.Add(2 * time.Second).Truncate(time.Second)},
		{name: "header", options: crewOptions{"header:trace": "ü=é"}, want: delivery{headers: map[string]string{"trace": "ü=é"}}},
	}
	for i := range cases {
		want := &cases[i].want
		if want.queue == "" {
			want.queue = "default"
		}
		if want.maxRetry == 0 {
			want.maxRetry = 25
		}
		if want.left == 0 {
			want.left = 30 * time.Minute
		}
	}
	return append(cases, crewCase{name: "no retry", options: crewOptions{"max_retry": "0"},
		want: delivery{queue: "default", left: 30 * time.Minute}})
}

func TestGoSeesEveryOptionOfACrewsClients(t *testing.T) {
	for way, enqueue := range ways {
		t.Run("from "+way, func(t *testing.T) {
			w := newWorld(t)
			deliveries := w.serve(map[string]int{"critical": 6, "default": 3})
			cases := crewCases(time.Now())
			byPayload := map[string]crewCase{}
			for _, c := range cases {
				payload := fmt.Sprintf(`{"case":%q}`, c.name)
				id := enqueue(w, "see", payload, withRetention(c.options))
				if c.want.id != "" && c.want.id != id {
					t.Errorf("%s: the id is %s", c.name, id)
				}
				c.want.id, c.want.kind, c.want.payload = id, "see", payload
				byPayload[payload] = c
			}
			for range cases {
				got := w.receive(deliveries)
				w.checkCase(byPayload[got.payload], got)
			}
		})
	}
}

func withRetention(options crewOptions) crewOptions {
	all := crewOptions{"retention": "3600"}
	for name, value := range options {
		all[name] = value
	}
	return all
}

func (w *world) checkCase(c crewCase, got delivery) {
	w.t.Helper()
	checkLeft(w.t, c.name, got.left, c.want.left)
	if got.at.Before(c.notBefore) {
		w.t.Errorf("%s: it started %v too early", c.name, c.notBefore.Sub(got.at))
	}
	got.left, got.at = c.want.left, c.want.at
	if fmt.Sprint(got) != fmt.Sprint(c.want) {
		w.t.Errorf("%s: asynq.Server was given %+v, not %+v", c.name, got, c.want)
	}
	done := w.info(c.want.queue, c.want.id, asynq.TaskStateCompleted, 10*time.Second)
	if done.Retention != time.Hour || string(done.Result) != "done by Go" {
		w.t.Errorf("%s: retention %v, result %q", c.name, done.Retention, done.Result)
	}
}

package interop

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

const echoScript = `
crew.task("echo", { perform = function(payload) return { got = payload } end })
crew.task("typed", { payload = crew.schema.object { n = crew.schema.int64() },
  perform = function(payload) return { got = payload.n } end })`

// From Go to Lua and back: what a handler that gives back {"got": payload} leaves, or the reason for the archive.
var fromGo = []struct{ name, kind, payload, result, refusal string }{
	{name: "microseconds", payload: goJSON(map[string]int64{"n": 1700000000123456}), result: `{"n":1700000000123456}`},
	{name: "2^53-1", payload: goJSON(map[string]int64{"n": 9007199254740991}), result: `{"n":9007199254740991}`},
	{name: "empty array", payload: goJSON([]int{}), result: `[]`},
	{name: "empty object", payload: goJSON(struct{}{}), result: `{}`},
	{name: "a tenth", payload: goJSON(0.1), result: `0.1`},
	{name: "minus zero", payload: `-0`, result: `-0`},
	{name: "lone surrogate", payload: `["\ud800"]`, refusal: "JSON"},
	{name: "duplicate key", payload: `{"a":1,"a":2}`, refusal: `payload\.a`},
	{name: "2^53+1", payload: goJSON(map[string]int64{"n": 9007199254740993}), refusal: `payload\.n`},
	{name: "2^53+1 as int64", kind: "typed", payload: goJSON(map[string]int64{"n": 9007199254740993}), result: `9007199254740993`},
	{name: "NaN", payload: `{"n":NaN}`, refusal: "JSON"},
	{name: "hexadecimal", payload: `0x10`, refusal: "JSON"},
	{name: "1,000 levels", payload: strings.Repeat("[", 1000) + strings.Repeat("]", 1000), refusal: "nested deeper"},
}

func goJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestJSONFromGoToLua(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", echoScript)
	for _, c := range fromGo {
		kind := c.kind
		if kind == "" {
			kind = "echo"
		}
		id := w.enqueue(kind, []byte(c.payload), asynq.Retention(time.Hour)).ID
		if c.refusal != "" {
			info := w.info("default", id, asynq.TaskStateArchived, 20*time.Second)
			if !regexp.MustCompile(c.refusal).MatchString(info.LastErr) || info.Retried != 0 {
				t.Errorf("%s: archived with %q, retried %d", c.name, info.LastErr, info.Retried)
			}
			continue
		}
		info := w.info("default", id, asynq.TaskStateCompleted, 20*time.Second)
		if string(info.Result) != `{"got":`+c.result+`}` {
			t.Errorf("%s: %s came back as %s", c.name, c.payload, info.Result)
		}
		if !json.Valid(info.Result) {
			t.Errorf("%s: Go cannot read %s", c.name, info.Result)
		}
	}
}

// From Lua to Go: the bytes that a Go handler is given, or the code with which Lua refuses.
var fromLua = []struct{ name, value, bytes, code string }{
	{name: "microseconds", value: `{ n = 1700000000123456 }`, bytes: `{"n":1700000000123456}`},
	{name: "2^53-1", value: `{ n = 9007199254740991 }`, bytes: `{"n":9007199254740991}`},
	{name: "empty array", value: `json.array {}`, bytes: `[]`},
	{name: "empty object", value: `{}`, bytes: `{}`},
	{name: "a tenth", value: `{ 0.1 }`, bytes: `[0.1]`},
	{name: "minus zero", value: `{ -0.0 }`, bytes: `[-0]`},
	{name: "null", value: `{ a = json.null }`, bytes: `{"a":null}`},
	{name: "sorted keys", value: `{ c = 1, a = 2, b = 3 }`, bytes: `{"a":2,"b":3,"c":1}`},
	{name: "2^53+1 as int64", value: `{ 9007199254740993LL }`, bytes: `[9007199254740993]`},
	{name: "lone surrogate", value: `{ "\237\160\128" }`, code: "INVALID_PAYLOAD"},
	{name: "NaN", value: `{ 0/0 }`, code: "INVALID_PAYLOAD"},
	{name: "infinity", value: `{ 1/0 }`, code: "INVALID_PAYLOAD"},
	{name: "1,000 levels", value: `(function() local t = {} for _ = 1, 1000 do t = { t } end return t end)()`,
		code: "INVALID_PAYLOAD"},
}

func TestJSONFromLuaToGo(t *testing.T) {
	w := newWorld(t)
	deliveries := w.serve(map[string]int{"default": 1})
	for _, c := range fromLua {
		answer := w.lua(fmt.Sprintf(`
local info, message, code = client:enqueue("t", %s)
print(info and "accepted" or code)`, c.value))
		if c.code != "" {
			if answer != c.code {
				t.Errorf("%s: %s, not %s", c.name, answer, c.code)
			}
			continue
		}
		if answer != "accepted" {
			t.Errorf("%s: refused with %s", c.name, answer)
			continue
		}
		got := w.receive(deliveries).payload
		if got != c.bytes {
			t.Errorf("%s: Go was given %s, not %s", c.name, got, c.bytes)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s: Go cannot read %s", c.name, got)
		}
	}
}

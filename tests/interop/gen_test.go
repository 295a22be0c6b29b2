package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// generated makes a module in the world's folder of what `mooncrew gen go` writes for the tasks of ../integration/gen, and
// of the program that uses it. Returns the folder.
func (w *world) generated() string {
	w.t.Helper()
	root, folder := setting(w.t, "MOONCREW_ROOT"), filepath.Join(w.folder, "module")
	w.run(exec.Command(setting(w.t, "MOONCREW"), "gen", "go", "--scripts", filepath.Join(root, "tests/integration/gen"),
		"--out", filepath.Join(folder, "tasks")))
	for from, to := range map[string]string{"go.mod": "go.mod", "go.sum": "go.sum", "testdata/gen/main.go": "main.go"} {
		text, err := os.ReadFile(filepath.Join(root, "tests/interop", from))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, to), text, 0o600)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return folder
}

func (w *world) goTool(folder string, arguments ...string) string {
	w.t.Helper()
	command := exec.Command(filepath.Join(runtime.GOROOT(), "bin", arguments[0]), arguments[1:]...)
	command.Dir = folder
	command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "LD_PRELOAD=")
	output, err := command.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
	return string(output)
}

const nastyStart = `nasty {"any":{"a":[1,null]},`

var refusedByGo = map[string]string{
	"again":   "task already exists",
	"ring":    "6",
	"below":   "payload.count: must be less than 10",
	"odd":     "payload.even: must be a multiple of 2",
	"wide":    "payload.wide: must be a multiple of 1000",
	"names":   "payload.names: items 0 and 2 are equal, and must differ",
	"flags":   "payload.flags: items 1 and 2 are equal, and must differ",
	"points":  "payload.points: items 0 and 2 are equal, and must differ",
	"lists":   "payload.lists[1]: items 0 and 2 are equal, and must differ",
	"both":    "payload.both: must be at most 5",
	"word":    "payload.word: must have at least 3 characters",
	"inexact": "payload.n: must be at most 9007199254740991",
	"long":    "payload.username: must have at most 8 characters",
	"bytes":   "payload.username: the string is not valid UTF-8",
	"enum":    `payload.locale: expected one of "en", "fr"`,
	"null":    "payload: required",
	"nan":     "payload.matrix[1][1]: JSON has no number for infinity or not-a-number",
	"range":   "payload.rows[1].id: must be at most 9007199254740991",
}

var arrivedFromGo = map[string]string{
	"default": `email:welcome {"locale":"en","username":"ada"}`,
	"options": `email:welcome {"locale":"fr","username":"bob"}`,
	"nasty": nastyStart + `"class":"c","empty":{},"flag":true,"func":5,"größe":9007199254740993,"int":true,` +
		`"labels":{"a":"2","z":"1","é":"3"},"least":-9223372036854775808,"list":["x"],"matrix":[[0.5,-1],[]],` +
		`"most":9223372036854775807,"nested":{},"odd":["a b","ü","\"q\"\\"],"opt":7,"rows":[{"id":-9007199254740991,` +
		`"tags":["<&>","\u0001\t` + "\x7f" + `\"\\/"]},{"id":9007199254740991,"tags":[]}],"rows_count":3,"the-dash":"d","type":"t"}`,
	"texts": `texts ["","\b\f\n\r\t\u001f","` + "\u2028" + `","😀"]`,
	"tree":  `tree {"children":[{"children":[],"name":"leaf"}],"left":{"children":[],"name":"leaf"},"name":"root"}`,
	"choices": `choices {"constant":"k","count":null,"either":5,"may_be_null":null,"nulls":[1,null],"pair":["a",1],` +
		`"share":0.5,"when":"2026-01-31T12:00:00Z","yes":true}`, "imported": `imported {"price":{"cents":5}}`,
	"image": `image:resize {"url":"u"}`, "raw": "raw \xff{", "free": `free {"a":1}`, "nothing": "free ",
	"any": "2fa:größe []", "maybe": "maybe ", "or_else": `or else "dflt"`,
	"first": `a:b {"item":{"v":"i"},"w":7}`, "second": `a_b "s"`, "choice": `int "y"`,
	"limits": `limits {"even":-4,"flags":[true,false],"lists":[[7,8]],"names":["b","a"],` +
		`"points":[{"x":1,"y":0.5},{"x":1,"y":0.25}],"wide":-9007199254741000}`,
	"bounds": `bounds {"both":5,"exact":9223372036854775807,"n":9007199254740991,"word":"abc"}`,
	"map":    `json:add {"":-9223372036854775808,"x":1}`,
}

func TestGeneratedGoIsCleanAndItsPayloadsArrive(t *testing.T) {
	w := newWorld(t)
	folder := w.generated()
	if wrong := w.goTool(folder, "gofmt", "-l", "tasks"); wrong != "" {
		t.Errorf("gofmt would change %s", wrong)
	}
	w.goTool(folder, "go", "vet", "./...")
	w.goTool(folder, "go", "build", "-o", "program", ".")
	told := w.run(exec.Command(filepath.Join(folder, "program"), w.socket))
	w.start("mooncrew", exec.Command(setting(t, "MOONCREW"), "run", "--redis", w.url(), "--scripts",
		filepath.Join(setting(t, "MOONCREW_ROOT"), "tests/integration/gen"), "--queues", "critical=1,default=1,low=1"))
	count := 0
	for _, line := range strings.Split(told, "\n") {
		words := strings.SplitN(line, " ", 3)
		if want, refused := refusedByGo[words[0]]; refused {
			if words[1] != "error" || words[2] != want {
				t.Errorf("%s, but %q was expected", line, want)
			}
			continue
		}
		count++
		if words[1] == "error" {
			t.Errorf("refused: %s", line)
			continue
		}
		info := w.info(words[1], words[2], asynq.TaskStateCompleted, 30*time.Second) // the handler compares bytes
		if want, known := arrivedFromGo[words[0]]; known && string(info.Result) != want {
			t.Errorf("%s arrived as\n%s instead of\n%s", words[0], info.Result, want)
		}
	}
	if count != 22 {
		t.Errorf("%d tasks were enqueued:\n%s", count, told)
	}
}

func TestGeneratedGoIsCleanWhateverTheNamesAre(t *testing.T) {
	w := newWorld(t)
	folder := w.generated()
	names := filepath.Join(setting(t, "MOONCREW_ROOT"), "tests/integration/gen_names")
	w.run(exec.Command(setting(t, "MOONCREW"), "gen", "go", "--scripts", names, "--out", filepath.Join(folder, "names"),
		"--package", "names"))
	if wrong := w.goTool(folder, "gofmt", "-l", "names"); wrong != "" {
		t.Errorf("gofmt would change %s", wrong)
	}
	w.goTool(folder, "go", "vet", "./names")
}

func TestGeneratedGoAppliesTheScriptsOptionsUnderThoseGiven(t *testing.T) {
	w := newWorld(t)
	folder := w.generated()
	w.goTool(folder, "go", "build", "-o", "program", ".")
	told := w.run(exec.Command(filepath.Join(folder, "program"), w.socket))
	for _, line := range strings.Split(told, "\n") {
		words := strings.SplitN(line, " ", 3)
		want, known := map[string]asynq.TaskInfo{
			"default": {Queue: "critical", MaxRetry: 10, Timeout: 2 * time.Second, Retention: 2 * time.Hour},
			"options": {Queue: "low", MaxRetry: 2, Timeout: 2 * time.Second, Retention: 2 * time.Hour},
			"nasty":   {Queue: "default", MaxRetry: 25, Timeout: 30 * time.Minute, Retention: 10 * time.Minute},
		}[words[0]]
		if !known {
			continue
		}
		got, err := w.inspector.GetTaskInfo(words[1], words[2])
		if err != nil {
			t.Fatal(err)
		}
		if words[1] != want.Queue || got.MaxRetry != want.MaxRetry || got.Timeout != want.Timeout ||
			got.Retention != want.Retention {
			t.Errorf("%s: %+v", words[0], got)
		}
	}
	// The same payload from Lua is the same task.
	if text := w.lua(`print(select(3, client:enqueue("email:welcome", { username = "ada", locale = "en" },
		{ queue = "critical", unique = "1h" })))`); text != "DUPLICATE_TASK" {
		t.Errorf("the same payload from Lua: %s", text)
	}
}

func TestTheGuideToGeneratedGoCompiles(t *testing.T) {
	w := newWorld(t)
	folder := w.generated()
	root := setting(t, "MOONCREW_ROOT")
	w.run(exec.Command(setting(t, "MOONCREW"), "gen", "go", "--scripts", filepath.Join(root, "scripts"), "--out",
		filepath.Join(folder, "tasks")))
	guide, err := os.ReadFile(filepath.Join(root, "docs/producers.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(guide), "```go\n")
	block, _, _ = strings.Cut(block, "```")
	block = strings.Replace(block, "example.org/app/internal/tasks", "mooncrew/interop/tasks", 1)
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(block), 0o600); err != nil {
		t.Fatal(err)
	}
	if wrong := w.goTool(folder, "gofmt", "-l", "main.go"); wrong != "" {
		t.Error("gofmt would change the guide's program")
	}
	w.goTool(folder, "go", "vet", "./...")
}

// Enqueues tasks through generated code, and prints for each its id, or what the error says.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"github.com/hibiken/asynq"

	"mooncrew/interop/tasks"
)

func tell(what string, info *asynq.TaskInfo, err error) {
	if err != nil {
		fmt.Printf("%s error %v\n", what, err)
	} else {
		fmt.Printf("%s %s %s\n", what, info.Queue, info.ID)
	}
}

func to[T any](value T) *T { return &value }

func nasty() *tasks.NastyPayload {
	return &tasks.NastyPayload{
		Type: "t", Func: 5, Int: true, Class: "c", TheDash: "d", Gru00f6u00dfe: 9007199254740993,
		Least: math.MinInt64, Most: math.MaxInt64, RowsCount: 3,
		Rows: []tasks.NastyRowsItem{
			{ID: -9007199254740991, Tags: []string{"<&>", "\x01\t\x7f\"\\/"}},
			{ID: 9007199254740991},
		},
		Matrix: [][]float64{{0.5, -1}, nil},
		Odd:    []tasks.NastyOddItem{tasks.NastyOddItemAB, tasks.NastyOddItemU00fc, tasks.NastyOddItemQ},
		Labels: map[string]string{"z": "1", "a": "2", "é": "3"},
		Any:    json.RawMessage(`{"a": [1, null]}`),
	}
}

func sendLimits(ctx context.Context, d tasks.TaskDistributor) {
	send := func(what string, change func(*tasks.LimitsPayload)) {
		payload := &tasks.LimitsPayload{Even: -4, Wide: to(int64(-9007199254741000)), Names: []string{"b", "a"},
			Flags: []bool{true, false}, Points: []tasks.LimitsPointsItem{{X: 1, Y: 0.5}, {X: 1, Y: 0.25}},
			Lists: [][]int64{{7, 8}}}
		change(payload)
		info, err := d.DistributeLimits(ctx, payload)
		tell(what, info, err)
	}
	send("limits", func(p *tasks.LimitsPayload) {})
	send("odd", func(p *tasks.LimitsPayload) { p.Even = 3 })
	send("wide", func(p *tasks.LimitsPayload) { p.Wide = to(int64(1)) })
	send("names", func(p *tasks.LimitsPayload) { p.Names = append(p.Names, "b") })
	send("flags", func(p *tasks.LimitsPayload) { p.Flags = append(p.Flags, false) })
	send("points", func(p *tasks.LimitsPayload) { p.Points = append(p.Points, p.Points[0]) })
	send("lists", func(p *tasks.LimitsPayload) { p.Lists = append(p.Lists, []int64{7, 8, 7}) })

	bounds := func(what string, payload tasks.BoundsPayload) {
		info, err := d.DistributeBounds(ctx, &payload)
		tell(what, info, err)
	}
	bounds("bounds", tasks.BoundsPayload{N: to(int64(9007199254740991)), Exact: to(int64(math.MaxInt64)), Word: to("abc"),
		Both: to(int64(5))})
	bounds("both", tasks.BoundsPayload{Both: to(int64(6))})
	bounds("word", tasks.BoundsPayload{Word: to("ab")})
	bounds("inexact", tasks.BoundsPayload{N: to(int64(9007199254740992))})
}

func main() {
	client := asynq.NewClient(asynq.RedisClientOpt{Network: "unix", Addr: os.Args[1]})
	defer client.Close()
	var d tasks.TaskDistributor = tasks.NewTaskDistributor(client)
	ctx := context.Background()
	email := func(what string, payload *tasks.EmailWelcomePayload, options ...asynq.Option) {
		info, err := d.DistributeEmailWelcome(ctx, payload, options...)
		tell(what, info, err)
	}
	email("default", &tasks.EmailWelcomePayload{Username: "ada"})
	email("again", &tasks.EmailWelcomePayload{Username: "ada", Locale: to(tasks.EmailWelcomeLocaleEn)})
	email("options", &tasks.EmailWelcomePayload{Username: "bob", Locale: to(tasks.EmailWelcomeLocaleFr)},
		asynq.Queue("low"), asynq.MaxRetry(2))
	email("long", &tasks.EmailWelcomePayload{Username: "äääääääää"})
	email("bytes", &tasks.EmailWelcomePayload{Username: "\xff"})
	email("enum", &tasks.EmailWelcomePayload{Username: "x", Locale: to(tasks.EmailWelcomeLocale("de"))})
	email("null", nil)

	full := nasty()
	info, err := d.DistributeNasty(ctx, full)
	tell("nasty", info, err)
	full.Counts = map[string][]int64{"b": {1, 2}, "a": nil}
	full.Nested.Deep = &tasks.NastyNestedDeep{X: 0.1}
	full.Open = &tasks.NastyOpen{P: "p"}
	full.AnyOrNone, full.Mixed = json.RawMessage("[null]"), json.RawMessage(`"x"`)
	full.List, full.Opt, full.Flag, full.HasOpt = []string{"one"}, to(int64(0)), to(false), to(true)
	full.Number = to(tasks.NastyNumberMinus5)
	info, err = d.DistributeNasty(ctx, full)
	tell("full", info, err)
	full.Matrix[1] = []float64{1, math.NaN()}
	info, err = d.DistributeNasty(ctx, full)
	tell("nan", info, err)
	full = nasty()
	full.Rows[1].ID = math.MaxInt64
	info, err = d.DistributeNasty(ctx, full)
	tell("range", info, err)

	info, err = d.DistributeNumbers(ctx, []float64{0, math.Copysign(0, -1), 0.1, 1e21, 1e-7, 5e-324, math.MaxFloat64,
		2.2250738585072014e-308, 123456789.125, 1e15, 1.0 / 3, -2.5e-5, 1e14, 9007199254740991, 9007199254740992, 1e100,
		0.00001, 1e22, 1234567890123456.5, 0.3, 100.5, 2e-310})
	tell("numbers", info, err)
	info, err = d.DistributeTexts(ctx, []string{"", "\b\f\n\r\t\x1f", "\u2028", "😀"})
	tell("texts", info, err)
	info, err = d.DistributeImageAny(ctx, "resize", &tasks.ImageAnyPayload{URL: "u"})
	tell("image", info, err)
	info, err = d.DistributeRaw(ctx, []byte("\xff{"))
	tell("raw", info, err)
	info, err = d.DistributeFree(ctx, json.RawMessage(`{"a":1}`))
	tell("free", info, err)
	info, err = d.DistributeFree(ctx, nil)
	tell("nothing", info, err)
	info, err = d.DistributeX2faGru00f6u00dfe(ctx, json.RawMessage("[]"))
	tell("any", info, err)
	info, err = d.DistributeMaybe(ctx, nil)
	tell("maybe", info, err)
	info, err = d.DistributeOrElse(ctx, nil)
	tell("or_else", info, err)
	info, err = d.DistributeAB(ctx, &tasks.ABPayload{Item: tasks.ABItem{V: "i"}, W: 7})
	tell("first", info, err)
	info, err = d.DistributeAB_2(ctx, "s")
	tell("second", info, err)
	info, err = d.DistributeInt(ctx, tasks.IntPayloadY)
	tell("choice", info, err)
	info, err = d.DistributeJSONAdd(ctx, map[string]int64{"x": 1, "": math.MinInt64})
	tell("map", info, err)

	leaf := tasks.TreePayload{Name: "leaf"}
	info, err = d.DistributeTree(ctx, &tasks.TreePayload{Name: "root", Left: &leaf, Children: []tasks.TreePayload{leaf}})
	tell("tree", info, err)
	leaf.Left = &leaf
	info, err = d.DistributeTree(ctx, &leaf)
	tell("ring", info, fmt.Errorf("%d", len(fmt.Sprint(err))/100))
	choices := &tasks.ChoicesPayload{Nulls: []*int64{to(int64(1)), nil}, Either: json.RawMessage("5"),
		Pair: json.RawMessage(`["a", 1]`), Constant: tasks.ChoicesConstantK, Yes: json.RawMessage("true"), Share: 0.5,
		When: "2026-01-31T12:00:00Z"}
	info, err = d.DistributeChoices(ctx, choices)
	tell("choices", info, err)
	choices.Count = to(int64(10))
	info, err = d.DistributeChoices(ctx, choices)
	tell("below", info, err)
	sendLimits(ctx, d)
	info, err = d.DistributeImported(ctx, &tasks.ImportedPayload{Price: tasks.ImportedMoney{Cents: 5}})
	tell("imported", info, err)
}

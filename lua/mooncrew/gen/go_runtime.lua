-- The part of generated Go that is the same in every file: what writes canonical JSON, as lua/mooncrew/json/encode.lua
-- does, byte for byte. encoding/json escapes <, > and &, keeps the order of fields, and writes numbers differently.

local M = {}

--- What it declares, with spaces between them.
M.NAMES = "TaskDistributor AsynqTaskDistributor NewTaskDistributor jsonStep jsonWriter jsonKeys jsonTidy"

M.TEXT = [[
// A jsonWriter writes canonical JSON, until something does not fit: then the first error stands.
type jsonWriter struct {
	bytes []byte
	path  []jsonStep // where the value at hand stands
	err   error
}

type jsonStep struct {
	name  string
	index int // of an item; -1: a field
}

func (w *jsonWriter) fail(what string) {
	if w.err != nil {
		return
	}
	place := "payload"
	for _, step := range w.path {
		if step.index >= 0 {
			place += "[" + strconv.Itoa(step.index) + "]"
		} else if step.name != "" {
			place += "." + step.name
		}
	}
	w.err = errors.New(place + ": " + what)
}

func (w *jsonWriter) text(text string) { w.bytes = append(w.bytes, text...) }

// open begins an object or array, unless it is too deep, as what holds itself in a ring is.
func (w *jsonWriter) open(bracket byte) bool {
	if len(w.path) >= 128 {
		w.fail("nested deeper than 128 levels")
	}
	if w.err != nil {
		return false
	}
	w.bytes = append(w.bytes, bracket)
	w.path = append(w.path, jsonStep{index: -1})
	return true
}

func (w *jsonWriter) close(bracket byte) {
	w.bytes = append(w.bytes, bracket)
	w.path = w.path[:len(w.path)-1]
}

// at says which field the next value is, without writing its name.
func (w *jsonWriter) at(name string) { w.path[len(w.path)-1] = jsonStep{name, -1} }

func (w *jsonWriter) key(name string) {
	if w.bytes[len(w.bytes)-1] != '{' {
		w.text(",")
	}
	w.at(name)
	w.string(name, 0, -1)
	w.text(":")
}

func (w *jsonWriter) item(index int) {
	if index > 0 {
		w.text(",")
	}
	w.path[len(w.path)-1] = jsonStep{"", index}
}

// string writes a text of min to max characters; -1: any number.
func (w *jsonWriter) string(text string, min, max int) {
	if !utf8.ValidString(text) {
		w.fail("the string is not valid UTF-8")
		return
	}
	if count := utf8.RuneCountInString(text); count < min {
		w.fail("must have at least " + strconv.Itoa(min) + " characters")
	} else if max >= 0 && count > max {
		w.fail("must have at most " + strconv.Itoa(max) + " characters")
	}
	w.text("\"")
	for i := 0; i < len(text); i++ {
		c := text[i]
		if place := strings.IndexByte("\"\\\b\f\n\r\t", c); place >= 0 {
			w.bytes = append(w.bytes, '\\', "\"\\bfnrt"[place])
		} else if c < 0x20 {
			w.bytes = fmt.Appendf(w.bytes, "\\u%04x", c)
		} else {
			w.bytes = append(w.bytes, c)
		}
	}
	w.text("\"")
}

func (w *jsonWriter) integer(value int64) { w.bytes = strconv.AppendInt(w.bytes, value, 10) }

// number writes the fewest digits that read back as the same number.
func (w *jsonWriter) number(value float64) {
	const maxExact = 1<<53 - 1
	if math.IsNaN(value) || math.IsInf(value, 0) {
		w.fail("JSON has no number for infinity or not-a-number")
		return
	}
	size := math.Abs(value)
	if size <= maxExact && value == math.Trunc(value) {
		w.bytes = strconv.AppendFloat(w.bytes, value, 'f', 0, 64)
		return
	}
	digits := 15
	if size < 2.2250738585072014e-308 {
		digits = 1
	}
	for ; ; digits++ {
		text := strconv.FormatFloat(value, 'g', digits, 64)
		if size > maxExact {
			text = jsonTidy(strconv.FormatFloat(value, 'e', digits-1, 64))
		}
		if same, _ := strconv.ParseFloat(text, 64); same == value || digits == 17 {
			w.text(text)
			return
		}
	}
}

// jsonTidy takes the zeros away that end the digits before an exponent.
func jsonTidy(text string) string {
	digits, exponent, _ := strings.Cut(text, "e")
	if strings.Contains(digits, ".") {
		digits = strings.TrimSuffix(strings.TrimRight(digits, "0"), ".")
	}
	return digits + "e" + exponent
}

func (w *jsonWriter) boolean(value bool) { w.bytes = strconv.AppendBool(w.bytes, value) }

func (w *jsonWriter) raw(value json.RawMessage) {
	var compact bytes.Buffer
	if len(value) == 0 {
		w.fail("required")
	} else if err := json.Compact(&compact, value); err != nil || !utf8.Valid(value) {
		w.fail("is no JSON text")
	}
	w.bytes = append(w.bytes, compact.Bytes()...)
}

func (w *jsonWriter) count(count, min, max int) {
	if count < min {
		w.fail("must have at least " + strconv.Itoa(min) + " items")
	} else if max >= 0 && count > max {
		w.fail("must have at most " + strconv.Itoa(max) + " items")
	}
}

// unique fails when the item that was just written from start on is equal to one before it.
func (w *jsonWriter) unique(seen map[string]int, index, start int) {
	if w.err != nil {
		return
	}
	text := string(w.bytes[start:])
	if first, found := seen[text]; found {
		w.path[len(w.path)-1] = jsonStep{index: -1}
		w.fail(fmt.Sprintf("items %d and %d are equal, and must differ", first, index))
	}
	seen[text] = index
}

func (w *jsonWriter) done() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	return w.bytes, nil
}

func jsonKeys[V any](entries map[string]V) []string {
	keys := make([]string, 0, len(entries))
	for key := range entries {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
]]

return M

package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

func init() {
	register("quantity", quantityPair)
	registerBench("quantity", quantityBench)
}

// quantityInput is two texts: each is parsed and described, and where both are quantities they meet in arithmetic.
type quantityInput struct {
	A string `json:"a"`
	B string `json:"b"`
}

// quantityFacts is all that upstream makes of one text. The amounts themselves are compared by their canonical text, which is
// exact.
type quantityFacts struct {
	Error      string `json:"error,omitempty"`
	Text       string `json:"text,omitempty"`
	Canonical  string `json:"canonical,omitempty"`
	Format     string `json:"format,omitempty"`
	Value      *int64 `json:"value,omitempty"`
	MilliValue *int64 `json:"milli_value,omitempty"`
	Sign       *int   `json:"sign,omitempty"`
	RoundedUp  string `json:"rounded_up_to_milli,omitempty"`
}

func quantityPair(input []byte) (any, error) {
	var given quantityInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	for _, text := range []string{given.A, given.B} {
		if tooLong(text) {
			return nil, fmt.Errorf("upstream would take minutes and gigabytes for %q", text)
		}
	}
	output := map[string]any{"a": describeQuantity(given.A), "b": describeQuantity(given.B)}
	a, errA := resource.ParseQuantity(given.A)
	b, errB := resource.ParseQuantity(given.B)
	if errA != nil || errB != nil {
		return output, nil
	}
	sum, difference := a.DeepCopy(), a.DeepCopy()
	sum.Add(b.DeepCopy())
	difference.Sub(b.DeepCopy())
	output["add"] = quantityResult(sum)
	output["sub"] = quantityResult(difference)
	output["compare"] = a.Cmp(b)
	return output, nil
}

func describeQuantity(text string) quantityFacts {
	parsed, err := resource.ParseQuantity(text)
	if err != nil {
		return quantityFacts{Error: err.Error()}
	}
	facts := quantityFacts{
		Format:     string(parsed.Format),
		Value:      new(parsed.Value()),
		MilliValue: new(parsed.MilliValue()),
		Sign:       new(parsed.Sign()),
	}
	rounded := parsed.DeepCopy()
	rounded.RoundUp(resource.Milli)
	facts.RoundedUp = rounded.String()
	// Text is what upstream prints and stores (it keeps the text of a quantity that it takes for canonical), canonical
	// what it prints once arithmetic has touched the value.
	number, suffix := parsed.CanonicalizeBytes(nil)
	facts.Canonical = string(number) + string(suffix)
	facts.Text = parsed.String()
	return facts
}

// tooLong tells whether upstream would write out a power of ten of thousands of digits. It keeps 32 bits of an exponent.
func tooLong(text string) bool {
	at := strings.LastIndexAny(text, "eE")
	exponent, err := strconv.ParseInt(text[at+1:], 10, 64)
	return at >= 0 && err == nil && (int32(exponent) > 1000 || int32(exponent) < -1000)
}

func quantityResult(quantity resource.Quantity) map[string]any {
	return map[string]any{
		"text":   quantity.String(),
		"format": string(quantity.Format),
	}
}

func quantityBench(inputs [][]byte) (*pass, error) {
	var texts []string
	for _, input := range inputs {
		var given quantityInput
		if err := json.Unmarshal(input, &given); err != nil {
			return nil, err
		}
		texts = append(texts, given.A)
	}
	var total int
	return &pass{operations: len(texts), run: func() (int, error) {
		for _, text := range texts {
			quantity, err := resource.ParseQuantity(text)
			if err != nil {
				total += len(err.Error())
				continue
			}
			number, suffix := quantity.CanonicalizeBytes(make([]byte, 0, 18))
			total += len(number) + len(suffix)
		}
		if total < 0 {
			panic(fmt.Sprint("unreachable: ", total))
		}
		// Not all texts are quantities on both sides.
		return 0, nil
	}}, nil
}

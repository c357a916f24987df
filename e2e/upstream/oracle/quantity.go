package main

import (
	"encoding/json"
	"fmt"

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

// quantityFacts is all that upstream makes of one quantity. "exact" is the decimal value with no suffix.
type quantityFacts struct {
	Error      string `json:"error,omitempty"`
	Text       string `json:"text,omitempty"`
	Canonical  string `json:"canonical,omitempty"`
	Exact      string `json:"exact,omitempty"`
	Format     string `json:"format,omitempty"`
	Value      int64  `json:"value"`
	MilliValue int64  `json:"milli_value"`
	Sign       int    `json:"sign"`
	RoundedUp  string `json:"rounded_up_to_milli,omitempty"`
	Whole      bool   `json:"whole_milli"`
}

func quantityPair(input []byte) (any, error) {
	var given quantityInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
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

// describeQuantity parses the text anew for each fact, since upstream's methods change the value they are called on.
func describeQuantity(text string) quantityFacts {
	parsed, err := resource.ParseQuantity(text)
	if err != nil {
		return quantityFacts{Error: err.Error()}
	}
	facts := quantityFacts{
		Format:     string(parsed.Format),
		Value:      parsed.Value(),
		MilliValue: parsed.MilliValue(),
		Sign:       parsed.Sign(),
	}
	rounded := parsed.DeepCopy()
	facts.Whole = rounded.RoundUp(resource.Milli)
	facts.RoundedUp = rounded.String()
	// Text is what upstream prints and stores (it keeps the text of a quantity that it takes for canonical), canonical
	// what it prints once arithmetic has touched the value.
	number, suffix := parsed.CanonicalizeBytes(nil)
	facts.Canonical = string(number) + string(suffix)
	facts.Text = parsed.String()
	facts.Exact = exactQuantity(parsed)
	return facts
}

func quantityResult(quantity resource.Quantity) map[string]any {
	return map[string]any{
		"text":   quantity.String(),
		"format": string(quantity.Format),
		"exact":  exactQuantity(quantity),
	}
}

// exactQuantity is the plain decimal number, without trailing zeros after the point.
func exactQuantity(quantity resource.Quantity) string {
	copied := quantity.DeepCopy()
	return plainDecimal(copied.AsDec().String())
}

func quantityBench(inputs [][]byte) (func(), error) {
	var texts []string
	for _, input := range inputs {
		var given quantityInput
		if err := json.Unmarshal(input, &given); err != nil {
			return nil, err
		}
		texts = append(texts, given.A)
	}
	var total int
	return func() {
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
	}, nil
}

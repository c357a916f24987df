package main

import "encoding/json"

// onObject makes a family whose input is one object.
func onObject[T any](evaluate func(object *T) (any, error)) family {
	return func(input []byte) (any, error) {
		object := new(T)
		if err := json.Unmarshal(input, object); err != nil {
			return nil, err
		}
		return evaluate(object)
	}
}

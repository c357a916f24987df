package main

import "strings"

// plainDecimal drops the zeros that don't change a decimal number: "1.500" is "1.5", "-0" and "0.0" are "0".
func plainDecimal(number string) string {
	if strings.Contains(number, ".") {
		number = strings.TrimRight(number, "0")
		number = strings.TrimSuffix(number, ".")
	}
	if number == "-0" || number == "" {
		return "0"
	}
	return number
}

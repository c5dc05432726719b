package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Quantile is the value below which a share q of sorted lies.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(q * float64(len(sorted)))) // From 1.
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Median is the middle of the values of all runs.
func (f *Figure) Median() float64 {
	v := slices.Sorted(slices.Values(f.Values))
	switch n := len(v); {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return v[n/2]
	default:
		return (v[n/2-1] + v[n/2]) / 2
	}
}

// Reached tells whether the median meets the goal; known is false where there is none.
func (f *Figure) Reached() (reached, known bool) {
	sign, number, _ := strings.Cut(f.Goal, " ")
	limit, err := strconv.ParseFloat(number, 64)
	m := f.Median()
	if err != nil || math.IsNaN(m) {
		return false, false
	}
	switch sign {
	case "≤":
		return m <= limit, true
	case "<":
		return m < limit, true
	case "≥":
		return m >= limit, true
	case "=":
		return m == limit, true
	default:
		return false, false
	}
}

// number writes three significant digits, and thousands apart.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case a >= 1000:
		return thousands(int64(math.Round(v)))
	case a >= 100 || a == math.Trunc(a):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
}

func thousands(n int64) string {
	digits, sign := strconv.FormatInt(n, 10), ""
	if n < 0 {
		digits, sign = digits[1:], "-"
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return sign + digits
}

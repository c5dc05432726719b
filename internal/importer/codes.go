package importer

import "fmt"

// codes are statuses of HTTP, by how far they are above 100.
type codes [500]bool

func allCodes() (all codes) {
	for n := range all {
		all[n] = true
	}
	return all
}

// where returns the codes that do.
func where(does func(code int) bool) (some codes) {
	for n := range some {
		some[n] = does(n + 100)
	}
	return some
}

// and returns the codes of both.
func (c codes) and(other codes) codes {
	return where(func(code int) bool { return c[code-100] && other[code-100] })
}

// or returns the codes of either.
func (c codes) or(other codes) codes {
	return where(func(code int) bool { return c[code-100] || other[code-100] })
}

// ranges writes codes as expect.status has them.
func (c codes) ranges() (all []any) {
	for n := 0; n < len(c); n++ {
		if !c[n] {
			continue
		}
		end := n
		for end+1 < len(c) && c[end+1] {
			end++
		}
		if end == n {
			all = append(all, number(n+100))
		} else {
			all = append(all, fmt.Sprintf("%d-%d", n+100, end+100))
		}
		n = end
	}
	return all
}

package answer

import (
	"slices"
	"strings"
	"testing"
)

// FuzzKey holds that keys are the same of the same parts, and of no others.
func FuzzKey(f *testing.F) {
	f.Add("a", "b", "ab", "")
	f.Add("1:a", "", "", "1:a")
	f.Add("\x00", "2:", "\x00", "2:")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		lists := [][]string{{a, b}, {c, d}, {a + b}, {a, b, ""}, {"", a, b}, {Key(a, b)}, {a, Key(b)}, {Key(a), b}}
		for _, x := range lists {
			for _, y := range lists {
				if same := Key(x...) == Key(y...); same != slices.Equal(x, y) {
					t.Fatalf("%q and %q have one key: %t", x, y, same)
				}
			}
			if strings.HasPrefix(Key(x...), "/") {
				t.Fatalf("the key of %q is an address", x)
			}
		}
	})
}

// TestKeptAddressIsNoKey: an address of another form than usual could be the key of another.
func TestKeptAddressIsNoKey(t *testing.T) {
	t.Parallel()
	var c Cache
	evil, err := c.Get(1, Key("evil"), func() ([]byte, error) { return []byte("evil"), nil })
	if err != nil {
		t.Fatal(err)
	}
	c.KeepAt(1, []byte(Key("good")), evil)
	good, err := c.Get(1, Key("good"), func() ([]byte, error) { return []byte("good"), nil })
	if err != nil || string(good.Body) != "good" {
		t.Errorf("%q, %v", good.Body, err)
	}
	c.KeepAt(1, []byte("/good"), good)
	if c.At(1, []byte("/good")) != good {
		t.Error("an address leads to another copy than the key, which is compressed once more")
	}
}

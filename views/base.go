package views

// Base is the path that the page stands below: empty at the root of its host, else such as /status. What links, forms
// and scripts name begins with it; the paths that handlers and builders know don't.
type Base string

// At is the address of one of our paths.
func (b Base) At(path string) string { return string(b) + path }

package grant

import "testing"

func TestRolesInclude(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		role, what Role
		want       bool
	}{{Viewer, Viewer, true}, {Viewer, Author, false}, {Author, Viewer, true}, {Admin, Author, true}, {Author, Admin, false}, {"", Viewer, false}, {"root", Viewer, false}, {Admin, "", false}} {
		if got := c.role.May(c.what); got != c.want {
			t.Errorf("%q may %q: %v", c.role, c.what, got)
		}
	}
}

func TestScopesAreRead(t *testing.T) {
	t.Parallel()
	s, err := ParseScopes([]string{"subscribers:read", "incidents:write", "incidents:write"})
	if text := Join(s); err != nil || text != "incidents:write subscribers:read" || Join(Split(text)) != text {
		t.Errorf("scopes %v %v", s, err)
	}
	for _, wrong := range [][]string{nil, {""}, {"incidents:read", "all"}} {
		if s, err := ParseScopes(wrong); err == nil {
			t.Errorf("%q are the scopes %v", wrong, s)
		}
	}
}

package status

// Group is a heading with services below it.
type Group struct {
	ID          string // Unique, [a-z0-9-]; "services" for those without a group.
	Name        string // Empty for the services without a group.
	Description string
	Services    []string // Ids, in the order of the page.
}

// NoGroup is the id of the services that stand below no heading.
const NoGroup = "services"

// Groups puts services below their headings: first the configured groups in their order,
// then all others in the order in which services name them. A group without services is
// left out.
func Groups(services []Service, configured []Group) []Group {
	groups := make([]Group, 0, len(configured)+1)
	at := map[string]int{}
	for _, g := range configured {
		g.Services = nil
		at[g.Name] = len(groups)
		groups = append(groups, g)
	}
	used := map[string]bool{}
	for _, g := range groups {
		used[g.ID] = true
	}
	for _, s := range services {
		n, known := at[s.Group]
		if !known {
			n = len(groups)
			at[s.Group] = n
			groups = append(groups, Group{ID: groupID(s.Group, used), Name: s.Group})
		}
		groups[n].Services = append(groups[n].Services, s.ID)
	}
	kept := groups[:0]
	for _, g := range groups {
		if len(g.Services) > 0 {
			kept = append(kept, g)
		}
	}
	return kept
}

func groupID(name string, used map[string]bool) string {
	id := NoGroup
	if name != "" {
		id = Slug(name)
	}
	if id == "" {
		id = "group"
	}
	for used[id] {
		id += "-2"
	}
	used[id] = true
	return id
}

// States is how many services are in each state, by outcome.
type States [Down + 1]int

// All is how many services there are.
func (s States) All() int {
	n := 0
	for _, services := range s {
		n += services
	}
	return n
}

// Known is how many services have been measured.
func (s States) Known() int { return s.All() - s[Unknown] }

// Worst sums the states of a group or page up. What nobody knows is worse than up: not all
// being known is no good news; but it hides no service that is known to be slow or down.
func (s States) Worst() Outcome {
	switch {
	case s[Down] > 0:
		return Down
	case s[Degraded] > 0:
		return Degraded
	case s[Unknown] == 0 && s[Up] > 0:
		return Up
	default:
		return Unknown
	}
}

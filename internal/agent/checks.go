package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
)

// checks is the document that an agent measures by.
type checks struct {
	Region string            `json:"region"`
	Checks []json.RawMessage `json:"checks"`
}

// Kinds is the KindsHeader of an agent of this version.
func Kinds() string { return strings.Join(check.Knows(), ", ") }

// known reads a KindsHeader. Agents of before there was one know checks over HTTP, as they were then.
func known(kinds string) []string {
	if kinds == "" {
		return []string{"http"}
	}
	words := strings.SplitN(kinds, ",", maxWords+1)
	words = words[:min(len(words), maxWords)]
	for i, word := range words {
		words[i] = strings.TrimSpace(word)
	}
	return words
}

// EncodeChecks writes those of the checks that are measured in a region, for an agent with this KindsHeader. It
// returns the ids of those that the agent can't measure as they are meant: it is not told of them, and they are no
// data in its region.
func EncodeChecks(region string, all []check.Check, kinds string) (body []byte, left []string, err error) {
	doc, knows := checks{Region: region, Checks: []json.RawMessage{}}, known(kinds)
	for _, c := range all {
		if !slices.Contains(c.Regions, region) {
			continue
		}
		if slices.ContainsFunc(c.Needs(), func(word string) bool { return !slices.Contains(knows, word) }) {
			left = append(left, c.ID)
			continue
		}
		one, err := check.Encode(c)
		if err != nil {
			return nil, nil, fmt.Errorf("check %s: %w", c.ID, err)
		}
		doc.Checks = append(doc.Checks, one)
	}
	body, err = json.Marshal(doc)
	return body, left, err
}

// DecodeChecks reads what EncodeChecks wrote, and the region that the server knows the agent
// by. The checks name no region: the server adds it to what is handed in. Checks of kinds that only a later version
// measures are left out, and unknown has their ids: the others go on.
func DecodeChecks(body []byte) (region string, all []check.Check, unknown []string, err error) {
	var doc checks
	if err := json.Unmarshal(body, &doc); err != nil {
		return "", nil, nil, fmt.Errorf("the checks can't be read: %w", err)
	}
	if doc.Region == "" || len(doc.Checks) > maxChecks {
		return "", nil, nil, fmt.Errorf("checks of region %q, %d of them: %w", doc.Region, len(doc.Checks), status.ErrInvalid)
	}
	all = make([]check.Check, 0, len(doc.Checks))
	for _, one := range doc.Checks {
		c, err := check.Decode(one)
		switch {
		case errors.Is(err, check.ErrUnknownKind):
			unknown = append(unknown, c.ID)
		case err != nil:
			return "", nil, nil, fmt.Errorf("check %q: %w", c.ID, err)
		default:
			all = append(all, c)
		}
	}
	return doc.Region, all, unknown, nil
}

package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
)

// checks is the document that an agent measures by.
type checks struct {
	Region string            `json:"region"`
	Checks []json.RawMessage `json:"checks"`
}

// EncodeChecks writes those of the checks that are measured in a region.
func EncodeChecks(region string, all []check.Check) ([]byte, error) {
	doc := checks{Region: region, Checks: []json.RawMessage{}}
	for _, c := range all {
		if !slices.Contains(c.Regions, region) {
			continue
		}
		one, err := check.Encode(c)
		if err != nil {
			return nil, fmt.Errorf("check %s: %w", c.ID, err)
		}
		doc.Checks = append(doc.Checks, one)
	}
	return json.Marshal(doc)
}

// DecodeChecks reads what EncodeChecks wrote, and the region that the server knows the agent
// by. The checks name no region: the server adds it to what is handed in. Checks of kinds that only a later version
// measures are left out, each with an error in unknown: the others go on.
func DecodeChecks(body []byte) (region string, all []check.Check, unknown, err error) {
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
			unknown = errors.Join(unknown, fmt.Errorf("check %q: %w", c.ID, err))
		case err != nil:
			return "", nil, nil, fmt.Errorf("check %q: %w", c.ID, err)
		default:
			all = append(all, c)
		}
	}
	return doc.Region, all, unknown, nil
}

package harness

// Record is a signal as /signals tells it, and as a store has it.
type Record struct {
	URL        string  `json:"url"`
	HTTPStatus int     `json:"http_status"`
	Available  bool    `json:"available"`
	Received   string  `json:"received"`
	Service    string  `json:"service"`
	Outcome    string  `json:"outcome"`
	DurationMs float64 `json:"duration_ms"`
	Reason     string  `json:"reason"`
}

package badge

// Types are the media types of a badge's formats, by the end of its address.
var Types = map[string]string{
	"svg": "image/svg+xml; charset=utf-8", "json": "application/json", "shields": "application/json", "txt": "text/plain; charset=utf-8",
}

const (
	// HistoryAway is what a badge says when the store can't be read.
	HistoryAway = "history away"
	// Caching lets image proxies show a badge for half a minute, and an old one while they ask.
	Caching = "public, max-age=30, stale-while-revalidate=60"
)

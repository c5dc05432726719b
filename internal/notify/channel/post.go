package channel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	maxAnswer   = 64 << 10 // Read, so that the connection can be used again.
	longestWait = time.Hour
	userAgent   = "statuspage-alerts"
)

// post hands a value over as JSON.
func post(ctx context.Context, via *Via, address string, header map[string]string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return &Error{Final: true, text: "the message can't be written as JSON"}
	}
	return postBody(ctx, via, address, header, body)
}

func postBody(ctx context.Context, via *Via, address string, header map[string]string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := via.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()                                          //nolint:errcheck // Nothing was written.
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // What it says is not for us.
	switch res.StatusCode / 100 {
	case 2:
		return nil
	case 3:
		return &Error{text: fmt.Sprintf("it answers %d, and redirects are not followed: name the address that takes messages", res.StatusCode)}
	}
	// What is wrong with the message stays so; what is wrong with the address or the token, somebody mends.
	final := res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusRequestEntityTooLarge || res.StatusCode == http.StatusUnprocessableEntity
	return &Error{Final: final, After: retryAfter(res.Header.Get("Retry-After")), text: fmt.Sprintf("it answers %d %s", res.StatusCode, http.StatusText(res.StatusCode))}
}

// retryAfter reads how long to wait, in seconds or until an instant.
func retryAfter(text string) time.Duration {
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 {
		return time.Duration(min(n, longestWait.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(0, time.Until(at)), longestWait)
	}
	return 0
}

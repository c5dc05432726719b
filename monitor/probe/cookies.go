package probe

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// cookies are those of one chain of redirects, as browsers keep them; a target that sets one and sends
// back to itself would go on for ever else. It has no list of public suffixes (100 KB of names): all that a cookie for
// all of .co.uk could do is to reach another host of the same chain, which its setter has sent us to and may tell in
// the address as well. The next chain begins without any.
type cookies struct {
	jar *cookiejar.Jar // Nil until somebody sets one.
}

// SetCookies keeps what an answer sets. A client asks from one goroutine.
func (c *cookies) SetCookies(u *url.URL, set []*http.Cookie) {
	if c.jar == nil {
		c.jar, _ = cookiejar.New(nil) // It has no error to tell.
	}
	c.jar.SetCookies(u, set)
}

// Cookies returns what an address is sent.
func (c *cookies) Cookies(u *url.URL) []*http.Cookie {
	if c.jar == nil {
		return nil
	}
	return c.jar.Cookies(u)
}

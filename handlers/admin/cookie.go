package admin

import (
	"errors"
	"net/url"
	"statuspage/internal/status"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// The cookie of a session. Over https it is bound to this host by its name; without, it is sent to the area alone.
// https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
const (
	hostCookie  = "__Host-statuspage"
	plainCookie = "statuspage"
	cookieLong  = 30 * 24 * time.Hour // The store knows better when it ends.
)

// secretOf is what the browser has of a session.
func secretOf(c *fiber.Ctx) string {
	if secret := c.Cookies(hostCookie); secret != "" {
		return secret
	}
	return c.Cookies(plainCookie)
}

func isNobody(err error) bool { return errors.Is(err, status.ErrNotFound) }

// keep gives the browser a session's secret.
func (v *Visit) keep(secret string) {
	v.cookie(v.secure(), secret, int(cookieLong/time.Second))
}

// forget takes it back, whichever it has.
func (v *Visit) forget() {
	if v.secure() {
		v.cookie(true, "", -1)
	}
	v.cookie(false, "", -1)
}

func (v *Visit) cookie(secure bool, secret string, age int) {
	k := &fiber.Cookie{Name: plainCookie, Value: secret, Path: v.area.Page.Base.At(Root), HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, MaxAge: age}
	if secure {
		k.Name, k.Path, k.Secure = hostCookie, "/", true
	}
	if age < 0 {
		k.MaxAge, k.Expires = 0, time.Unix(1, 0)
	}
	v.Cookie(k)
}

// secure tells whether the browser came over https: by a proxy that is trusted, by the configured address, or by what the browser says of the page
// that its form stood on.
func (v *Visit) secure() bool {
	if v.area.Limits.OverTLS(v.Context()) || strings.HasPrefix(v.Get(fiber.HeaderOrigin), "https://") {
		return true
	}
	u, err := url.Parse(v.area.Page.BaseURL)
	return err == nil && u.Scheme == "https" && u.Host == string(v.Context().Request.Header.Host())
}

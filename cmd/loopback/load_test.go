package loopback

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"groat/session"
)

// TestServerUnderLoad asks a server a thousand times a second, for as long
// as GROAT_TEST_LOAD says (30s), half of it over connections of its own for
// each request. Not one request may fail, and memory must not grow.
func TestServerUnderLoad(t *testing.T) {
	d, err := time.ParseDuration(os.Getenv("GROAT_TEST_LOAD"))
	if err != nil {
		t.Skip("GROAT_TEST_LOAD is not set to a duration")
	}
	const rate = 1000
	for _, kind := range []string{"container", "imds"} {
		t.Run(kind, func(t *testing.T) {
			url, header := startLoaded(t, kind)
			load := newLoad(rate)
			load.run(t.Context(), time.Second, url, header) // warm: connections, pools
			begin := heapInUse()
			load = newLoad(rate)
			load.run(t.Context(), d, url, header)
			end := heapInUse()
			slices.Sort(load.times)
			n := len(load.times)
			t.Logf("%s: %d requests in %s (%.0f/s), %d failed; median %s, 99 %% %s, slowest %s; heap %d KiB → %d KiB",
				kind, n, load.took.Round(time.Millisecond), float64(n)/load.took.Seconds(), len(load.failures),
				load.times[n/2], load.times[n*99/100], load.times[n-1], begin>>10, end>>10)
			for _, f := range load.failures[:min(3, len(load.failures))] {
				t.Error(f)
			}
			if n < int(rate*d.Seconds()*0.99) {
				t.Errorf("only %d requests were made", n)
			}
			if end > begin+4<<20 {
				t.Errorf("memory has grown by %d KiB", (end-begin)>>10)
			}
		})
	}
}

// startLoaded opens a server whose credentials are renewed all the time.
func startLoaded(t *testing.T, kind string) (url string, header http.Header) {
	t.Helper()
	r := &Refresher{Now: time.Now, Sleep: Sleep}
	n := 0
	r.Quiet = func(context.Context) (session.Credentials, error) {
		n++
		c := testCredentials
		c.AccessKeyID, c.Expiration = fmt.Sprint("ASIA", n), time.Now().Add(33*time.Second) // due in 3 s
		return c, nil
	}
	first, _ := r.Quiet(t.Context())
	t.Cleanup(r.Start(t.Context(), first))
	o := Options{AnyUser: true, Handler: Container("TOKEN", r.Current)}
	if kind == "imds" {
		m := &Metadata{Profile: "p", Source: r.Current, Now: time.Now}
		o = Options{Handler: m.Handler}
	}
	s := serve(t, o)
	if kind == "container" {
		return "http://" + s.Addr + ContainerPath, http.Header{"Authorization": {"TOKEN"}}
	}
	_, token := ask(t, "PUT", "http://"+s.Addr+tokenPath, func(r *http.Request) { r.Header.Set(ttlHeader, "21600") })
	return "http://" + s.Addr + rolesPath + "p", http.Header{tokenHeader: {token}}
}

// load is a fixed rate of requests, whatever the answers take.
type load struct {
	rate     int
	mu       sync.Mutex
	times    []time.Duration
	failures []string
	took     time.Duration
}

func newLoad(rate int) *load { return &load{rate: rate} }

func (l *load) run(ctx context.Context, d time.Duration, url string, header http.Header) {
	keep := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 5 * time.Second}
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: resetting}, Timeout: 5 * time.Second}
	defer keep.CloseIdleConnections()
	start := time.Now()
	var wg sync.WaitGroup
	for i := range int(float64(l.rate) * d.Seconds()) {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(l.rate))))
		client := keep
		if i%2 == 1 {
			client = fresh
		}
		wg.Go(func() { l.one(ctx, client, url, header) })
	}
	wg.Wait()
	l.took = time.Since(start)
}

// resetting closes with a reset: 15,000 connections would else wait out
// their time and leave no ports.
func resetting(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	return c, err
}

func (l *load) one(ctx context.Context, client *http.Client, url string, header http.Header) {
	start := time.Now()
	failure := ""
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err == nil {
		r.Header = header
		var resp *http.Response
		if resp, err = client.Do(r); err == nil {
			var answer struct{ AccessKeyID, Expiration string }
			err = json.NewDecoder(resp.Body).Decode(&answer)
			_ = resp.Body.Close()
			expires, perr := time.Parse(time.RFC3339, answer.Expiration)
			if err == nil && (resp.StatusCode != http.StatusOK || answer.AccessKeyID == "" || perr != nil || time.Now().After(expires.Add(time.Second))) {
				failure = "status " + strconv.Itoa(resp.StatusCode) + ", expires " + answer.Expiration
			}
		}
	}
	if err != nil {
		failure = err.Error()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = append(l.times, time.Since(start))
	if failure != "" {
		l.failures = append(l.failures, failure)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

package assurance

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/store"
)

// Stream is a receiver of a client's events: pushed to its URL (RFC 8935), or kept until it polls
// (RFC 8936).
type Stream struct {
	ID            string `json:"id"`
	Client        string `json:"client_id"`
	URL           string `json:"url,omitempty"`
	Authorization string `json:"authorization,omitempty"` // header of the push; only ever given in
	PollToken     string `json:"poll_token,omitempty"`    // only ever given out, once
}

func place(stream string) string { return "streams/" + stream }

// Add registers a stream. Without a URL it is polled, with the token that is returned.
func (s *Service) Add(ctx context.Context, q store.Queryer, stream *Stream) error {
	stream.ID = uuid.NewString()
	var sealed []byte
	var pollHash string
	if stream.URL == "" {
		stream.PollToken = session.Random()
		pollHash = session.Hash(stream.PollToken)
	} else if stream.Authorization != "" {
		sealed = s.Vault.Seal(place(stream.ID), []byte(stream.Authorization))
	}
	_, err := q.ExecContext(
		ctx,
		"INSERT INTO streams (id, client_id, url, authorization_sealed, poll_hash, created_at) "+
			"VALUES ($1, $2, $3, $4, $5, $6)",
		stream.ID,
		stream.Client,
		store.Text(stream.URL),
		sealed,
		store.Text(pollHash),
		store.Time{Time: s.Now()},
	)
	stream.Authorization = ""
	return err
}

// Streams returns all of them.
func Streams(ctx context.Context, q store.Queryer) ([]Stream, error) {
	rows, err := q.QueryContext(ctx, "SELECT id, client_id, url FROM streams ORDER BY created_at")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	streams := []Stream{}
	for rows.Next() {
		var stream Stream
		var url store.Text
		if err := rows.Scan(&stream.ID, &stream.Client, &url); err != nil {
			return nil, err
		}
		stream.URL = string(url)
		streams = append(streams, stream)
	}
	return streams, rows.Err()
}

// Remove ends a stream, with what waits for it.
func Remove(ctx context.Context, q store.Queryer, id string) error {
	return store.One(ctx, q, "DELETE FROM streams WHERE id = $1", id)
}

// pushMost is how often an event is tried; the waits between double up to an hour, so this is more
// than a day.
const pushMost = 40

// pushed is an event that is due.
type pushed struct {
	jti, stream, url, body string
	sealed                 []byte
	tries                  int
}

// Push sends what is due. An event is taken for a minute, so that no other instance sends it
// meanwhile; whatever happens to this one, it is sent again, and the receiver knows it by its jti.
func (s *Service) Push(ctx context.Context) error {
	for {
		e, err := s.take(ctx)
		if err != nil || e == nil {
			return err
		}
		if fault := s.send(ctx, e); fault != nil {
			if err := s.postpone(ctx, e, fault); err != nil {
				return err
			}
			continue
		}
		if _, err := s.DB.ExecContext(ctx, "DELETE FROM events WHERE jti = $1", e.jti); err != nil {
			return err
		}
	}
}

func (s *Service) take(ctx context.Context) (*pushed, error) {
	e := new(pushed)
	err := s.DB.Tx(ctx, func(tx *sql.Tx) error {
		now := s.Now()
		err := tx.QueryRowContext(ctx, `SELECT jti, stream_id, url, body, authorization_sealed,
			tries FROM events JOIN streams ON streams.id = events.stream_id
			WHERE url IS NOT NULL AND next_at <= $1 ORDER BY next_at, jti LIMIT
				1`, store.Time{Time: now}).
			Scan(&e.jti, &e.stream, &e.url, &e.body, &e.sealed, &e.tries)
		if err != nil {
			return err
		}
		return store.One(
			ctx,
			tx,
			"UPDATE events SET next_at = $1, tries = tries + 1 WHERE jti = $2",
			store.Time{Time: now.Add(time.Minute)},
			e.jti,
		)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return e, err
}

// send pushes one event; 202 is the answer of a receiver that has it.
func (s *Service) send(ctx context.Context, e *pushed) error {
	request, err := http.NewRequestWithContext(
		ctx,
		http.MethodPost,
		e.url,
		strings.NewReader(e.body),
	)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/secevent+jwt")
	request.Header.Set("Accept", "application/json")
	if e.sealed != nil {
		authorization, err := s.Vault.Open(place(e.stream), e.sealed)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", string(authorization))
	}
	response, err := s.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the receiver answers %s: %s", response.Status, text)
	}
	return nil
}

func (s *Service) postpone(ctx context.Context, e *pushed, fault error) error {
	slog.WarnContext(
		ctx,
		"an event was not taken",
		"stream",
		e.stream,
		"jti",
		e.jti,
		"tries",
		e.tries+1,
		"error",
		fault,
	)
	if e.tries+1 >= pushMost {
		_, err := s.DB.ExecContext(ctx, "DELETE FROM events WHERE jti = $1", e.jti)
		return err
	}
	delay := min(time.Second<<min(e.tries, 12), time.Hour)
	_, err := s.DB.ExecContext(
		ctx,
		"UPDATE events SET next_at = $1, fault = $2 WHERE jti = $3",
		store.Time{Time: s.Now().Add(delay)},
		fault.Error(),
		e.jti,
	)
	return err
}

// Poll answers RFC 8936: it takes acknowledgements and errors, and gives what waits.
func (s *Service) Poll(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	var stream string
	err := s.DB.QueryRowContext(r.Context(), "SELECT id FROM streams WHERE id = $1 AND "+
		"poll_hash = $2", r.PathValue("id"), session.Hash(token)).
		Scan(&stream)
	if errors.Is(err, sql.ErrNoRows) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	asked := struct {
		MaxEvents *int                       `json:"maxEvents"`
		Ack       []string                   `json:"ack"`
		SetErrs   map[string]json.RawMessage `json:"setErrs"`
		Returns   bool                       `json:"returnImmediately"` // it always does
	}{}
	if err == nil {
		if json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&asked) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for jti, fault := range asked.SetErrs {
			slog.WarnContext(
				r.Context(),
				"an event was not taken",
				"stream",
				stream,
				"jti",
				jti,
				"error",
				string(fault),
			)
			asked.Ack = append(asked.Ack, jti)
		}
	}
	sets, more := map[string]string{}, false
	if err == nil {
		err = s.DB.Tx(r.Context(), func(tx *sql.Tx) error {
			for _, jti := range asked.Ack {
				if _, err := tx.ExecContext(r.Context(), "DELETE FROM events WHERE jti = $1 AND "+
					"stream_id = $2", jti, stream); err != nil {
					return err
				}
			}
			most := 100
			if asked.MaxEvents != nil {
				most = max(0, min(most, *asked.MaxEvents))
			}
			sets, more, err = waiting(r.Context(), tx, stream, most)
			return err
		})
	}
	if err != nil {
		slog.ErrorContext(r.Context(), "events cannot be read", "error", err)
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"sets": sets, "moreAvailable": more})
}

func waiting(
	ctx context.Context,
	tx *sql.Tx,
	stream string,
	most int,
) (sets map[string]string, more bool, err error) {
	rows, err := tx.QueryContext(
		ctx,
		"SELECT jti, body FROM events WHERE stream_id = $1 ORDER BY jti LIMIT $2",
		stream,
		most+1,
	)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	sets = map[string]string{}
	for rows.Next() {
		var jti, body string
		if err := rows.Scan(&jti, &body); err != nil {
			return nil, false, err
		}
		if more = len(sets) == most; !more {
			sets[jti] = body
		}
	}
	return sets, more, rows.Err()
}

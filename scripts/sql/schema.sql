-- What the examples keep in PostgreSQL: psql "$APP_DATABASE_URL" -f scripts/sql/schema.sql

CREATE TABLE users (
  username text PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL
);

-- task:send_verify_email: one row per task, so that its second run finds what the first one made.
CREATE TABLE verifications (
  task_id text PRIMARY KEY,
  username text NOT NULL REFERENCES users ON DELETE CASCADE,
  secret text NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL,
  sent_at timestamptz -- null: no server has taken the message, as far as we know
);

-- digest:page: what is to be told to a user, a page at a time; digest:mail takes the pages away.
CREATE TABLE digest_pages (
  task_id text PRIMARY KEY,
  username text NOT NULL,
  events jsonb NOT NULL,
  added_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX digest_pages_of_user ON digest_pages (username, added_at);

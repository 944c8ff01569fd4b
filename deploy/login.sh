#!/bin/sh
# Run once by the database's image: the login of the application, which owns nothing.
set -eu
psql --username postgres --dbname frontline --set ON_ERROR_STOP=1 --set password="$LOGIN_PASSWORD" <<'SQL'
CREATE ROLE frontline_login LOGIN PASSWORD :'password';
SQL

"""The registers of the core: the bank itself, parties, accounts, cards, payees and messages.

Like the ledger, they are written by owner-only functions beside a redemption of the same effect.
"""

from django.db import migrations

MAILBOX = """
-- What the messages simulator delivered; a person looks into it as into a mailbox.
CREATE TABLE gc_message (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    recipient text COLLATE "C" NOT NULL CHECK (recipient ~ '^[a-z]+:[0-9a-f-]{36}$'),
    template text COLLATE "C" NOT NULL,
    case_id uuid,
    subject text NOT NULL,
    body text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX gc_message_mailbox ON gc_message (entity, recipient, sent_at);
SELECT frontline_protect('gc_message', 'read_only');
"""

BANK = """
CREATE FUNCTION core_open_bank(p_token uuid, p_name text, p_country text, p_bank_code text,
    p_currency text, p_business_date date)
RETURNS TABLE (status text, feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    feed_position := '';
    IF NOT gc_take_redemption(p_token, format('bank/v1|%s|%s|%s|%s', p_country, p_bank_code,
            p_currency, p_business_date)) THEN
        status := 'no_redemption'; RETURN NEXT; RETURN;
    END IF;
    INSERT INTO core_bank (name, country, bank_code, own_ibans, currency)
    VALUES (p_name, p_country, p_bank_code, p_country || '__' || p_bank_code || '%', p_currency)
    ON CONFLICT (entity) DO NOTHING;
    status := CASE WHEN FOUND THEN 'opened' ELSE 'exists' END;
    INSERT INTO core_business_date (date) VALUES (p_business_date) ON CONFLICT DO NOTHING;
    PERFORM gc_state_execution(p_token, status, 'bank:' || frontline_entity(), '');
    RETURN NEXT;
END $$;

-- Go on to a later day, never beyond the database's own. A clock moves; nobody is asked.
CREATE FUNCTION core_roll_business_date(p_date date) RETURNS date
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    UPDATE core_business_date SET date = p_date
    WHERE date < p_date AND p_date <= (clock_timestamp() AT TIME ZONE 'UTC')::date;
    SELECT date FROM core_business_date
$$;
"""

PARTIES = """
CREATE FUNCTION core_register_parties(p_token uuid, p_batch uuid, p_lines text[])
RETURNS TABLE (statuses text[], feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_new core_party;
    v_line text;
BEGIN
    IF NOT gc_take_batch(p_token, p_lines) THEN
        statuses := ARRAY['no_redemption']; RETURN NEXT; RETURN;
    END IF;
    feed_position := '';
    FOREACH v_line IN ARRAY p_lines LOOP
        v_new := json_populate_record(NULL::core_party, v_line::json);
        INSERT INTO core_party (id, kind, name, given_name, family_name, birth_date, email, phone,
            street, postal_code, city, country, segment, status)
        VALUES (v_new.id, v_new.kind, v_new.name, v_new.given_name, v_new.family_name,
            v_new.birth_date, v_new.email, v_new.phone, v_new.street, v_new.postal_code,
            v_new.city, v_new.country, v_new.segment, 'active')
        ON CONFLICT (id) DO NOTHING;
        IF FOUND THEN
            statuses := statuses || 'registered'::text;
            feed_position := gc_announce('party.registered', 'party:' || v_new.id,
                jsonb_build_object('party_id', v_new.id, 'kind', v_new.kind, 'name', v_new.name,
                    'given_name', v_new.given_name, 'family_name', v_new.family_name,
                    'birth_date', v_new.birth_date, 'email', v_new.email, 'phone', v_new.phone,
                    'street', v_new.street, 'postal_code', v_new.postal_code, 'city', v_new.city,
                    'country', v_new.country, 'segment', v_new.segment, 'status', 'active'));
        ELSE
            statuses := statuses || 'exists'::text;
        END IF;
    END LOOP;
    PERFORM gc_state_execution(p_token, 'registered', 'batch:' || p_batch, feed_position);
    RETURN NEXT;
END $$;
"""

ACCOUNTS = """
CREATE FUNCTION core_open_accounts(p_token uuid, p_batch uuid, p_lines text[])
RETURNS TABLE (statuses text[], feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_new ledger_account;
    v_line text;
BEGIN
    IF NOT gc_take_batch(p_token, p_lines) THEN
        statuses := ARRAY['no_redemption']; RETURN NEXT; RETURN;
    END IF;
    feed_position := '';
    FOREACH v_line IN ARRAY p_lines LOOP
        v_new := json_populate_record(NULL::ledger_account, v_line::json);
        IF v_new.party_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM core_party WHERE id = v_new.party_id) THEN
            statuses := statuses || 'party_unknown'::text;
            CONTINUE;
        END IF;
        INSERT INTO ledger_account (id, iban, code, currency, kind, name, holder_name, party_id,
            flags, overdraft_limit, opened_on)
        VALUES (v_new.id, v_new.iban, v_new.code, v_new.currency, v_new.kind, v_new.name,
            v_new.holder_name, v_new.party_id, v_new.flags, coalesce(v_new.overdraft_limit, 0),
            v_new.opened_on)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            statuses := statuses || 'opened'::text;
            feed_position := gc_announce('account.opened', 'account:' || v_new.id,
                jsonb_build_object('account_id', v_new.id, 'party_id', v_new.party_id,
                    'iban', v_new.iban, 'kind', v_new.kind, 'currency', v_new.currency,
                    'name', v_new.name, 'status', 'open', 'opened_on', v_new.opened_on));
        ELSIF EXISTS (SELECT FROM ledger_account a WHERE a.id = v_new.id
                AND (a.iban, a.currency, a.kind) = (v_new.iban, v_new.currency, v_new.kind)
                AND a.party_id IS NOT DISTINCT FROM v_new.party_id) THEN
            statuses := statuses || 'exists'::text;
        ELSE
            statuses := statuses || 'exists_with_different'::text;
        END IF;
    END LOOP;
    IF cardinality(p_lines) >= 50 THEN
        -- Without statistics the planner would read a table that has just been filled whole.
        ANALYZE ledger_account;
    END IF;
    PERFORM gc_state_execution(p_token, 'opened', 'batch:' || p_batch, feed_position);
    RETURN NEXT;
END $$;

CREATE FUNCTION core_set_account_status(p_token uuid, p_account uuid, p_status text)
RETURNS TABLE (status text, feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    a ledger_account;
BEGIN
    feed_position := '';
    IF NOT gc_take_redemption(p_token, format('account_status/v1|%s|%s', p_account, p_status)) THEN
        status := 'no_redemption'; RETURN NEXT; RETURN;
    END IF;
    SELECT * INTO a FROM ledger_account x WHERE x.id = p_account FOR NO KEY UPDATE;
    status := CASE
        WHEN NOT FOUND THEN 'account_unknown'
        WHEN a.status = p_status THEN 'exists'
        WHEN a.status = 'closed' THEN 'account_closed'
        WHEN p_status = 'closed' AND (a.credits_posted <> a.debits_posted
            OR a.debits_pending + a.credits_pending > 0) THEN 'account_not_empty'
        ELSE 'changed' END;
    IF status = 'changed' THEN
        UPDATE ledger_account x SET status = p_status, version = version + 1
        WHERE x.id = p_account;
        feed_position := gc_announce('account.status_changed', 'account:' || p_account,
            jsonb_build_object('account_id', p_account, 'status', p_status));
        PERFORM gc_state_execution(p_token, status, 'account:' || p_account, feed_position);
    END IF;
    RETURN NEXT;
END $$;
"""

CARDS = """
CREATE FUNCTION core_issue_cards(p_token uuid, p_batch uuid, p_lines text[])
RETURNS TABLE (statuses text[], feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_new core_card;
    v_line text;
BEGIN
    IF NOT gc_take_batch(p_token, p_lines) THEN
        statuses := ARRAY['no_redemption']; RETURN NEXT; RETURN;
    END IF;
    feed_position := '';
    FOREACH v_line IN ARRAY p_lines LOOP
        v_new := json_populate_record(NULL::core_card, v_line::json);
        IF NOT EXISTS (SELECT FROM ledger_account a
                WHERE a.id = v_new.account_id AND a.party_id = v_new.party_id) THEN
            statuses := statuses || 'account_unknown'::text;
            CONTINUE;
        END IF;
        INSERT INTO core_card (id, party_id, account_id, last_four, scheme, product, status,
            expires_on)
        VALUES (v_new.id, v_new.party_id, v_new.account_id, v_new.last_four, v_new.scheme,
            v_new.product, 'active', v_new.expires_on)
        ON CONFLICT (id) DO NOTHING;
        IF FOUND THEN
            statuses := statuses || 'issued'::text;
            feed_position := gc_announce('card.issued', 'card:' || v_new.id,
                jsonb_build_object('card_id', v_new.id, 'party_id', v_new.party_id,
                    'account_id', v_new.account_id, 'last_four', v_new.last_four,
                    'scheme', v_new.scheme, 'product', v_new.product, 'status', 'active',
                    'expires_on', v_new.expires_on));
        ELSE
            statuses := statuses || 'exists'::text;
        END IF;
    END LOOP;
    PERFORM gc_state_execution(p_token, 'issued', 'batch:' || p_batch, feed_position);
    RETURN NEXT;
END $$;

CREATE FUNCTION core_card_block(p_token uuid, p_card uuid, p_reason text)
RETURNS TABLE (status text, feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    c core_card;
BEGIN
    feed_position := '';
    IF NOT gc_take_redemption(p_token, format('card_block/v1|%s', p_card)) THEN
        status := 'no_redemption'; RETURN NEXT; RETURN;
    END IF;
    SELECT * INTO c FROM core_card x WHERE x.id = p_card FOR UPDATE;
    status := CASE WHEN NOT FOUND THEN 'card_unknown'
        WHEN c.status = 'expired' THEN 'card_expired'
        WHEN c.status = 'blocked' THEN 'exists' ELSE 'blocked' END;
    IF status = 'blocked' THEN
        UPDATE core_card x SET status = 'blocked', block_reason = p_reason,
            changed_at = clock_timestamp() WHERE x.id = p_card;
        feed_position := gc_announce('card.blocked', 'card:' || p_card,
            jsonb_build_object('card_id', c.id, 'party_id', c.party_id,
                'account_id', c.account_id, 'last_four', c.last_four, 'scheme', c.scheme,
                'product', c.product, 'status', 'blocked', 'expires_on', c.expires_on));
    END IF;
    IF status IN ('blocked', 'exists') THEN
        PERFORM gc_state_execution(p_token, status, 'card:' || p_card, feed_position);
    END IF;
    RETURN NEXT;
END $$;
"""

PAYEES = """
-- Not for the application: write one payee, whoever checked the redemption.
CREATE FUNCTION core_keep_payee(p_new core_payee, OUT status text, OUT feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    feed_position := '';
    IF NOT EXISTS (SELECT FROM core_party WHERE id = p_new.party_id) THEN
        status := 'party_unknown'; RETURN;
    END IF;
    INSERT INTO core_payee (id, party_id, name, iban, added_on, is_trusted, phone)
    VALUES (p_new.id, p_new.party_id, p_new.name, p_new.iban, p_new.added_on, p_new.is_trusted,
        coalesce(p_new.phone, ''))
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN status := 'exists'; RETURN; END IF;
    status := 'added';
    feed_position := gc_announce('payee.added', 'payee:' || p_new.id,
        jsonb_build_object('payee_id', p_new.id, 'party_id', p_new.party_id, 'name', p_new.name,
            'iban', p_new.iban, 'added_on', p_new.added_on, 'is_trusted', p_new.is_trusted,
            'phone', coalesce(p_new.phone, '')));
END $$;

CREATE FUNCTION core_add_payees(p_token uuid, p_batch uuid, p_lines text[])
RETURNS TABLE (statuses text[], feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_kept record;
    v_line text;
BEGIN
    IF NOT gc_take_batch(p_token, p_lines) THEN
        statuses := ARRAY['no_redemption']; RETURN NEXT; RETURN;
    END IF;
    feed_position := '';
    FOREACH v_line IN ARRAY p_lines LOOP
        SELECT * INTO v_kept FROM core_keep_payee(
            json_populate_record(NULL::core_payee, v_line::json));
        statuses := statuses || v_kept.status;
        feed_position := coalesce(nullif(v_kept.feed_position, ''), feed_position);
    END LOOP;
    PERFORM gc_state_execution(p_token, 'added', 'batch:' || p_batch, feed_position);
    RETURN NEXT;
END $$;

CREATE FUNCTION core_payee_add(p_token uuid, p_party uuid, p_name text, p_iban text)
RETURNS TABLE (status text, feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_new core_payee;
BEGIN
    feed_position := '';
    IF NOT gc_take_redemption(p_token, format('payee/v1|%s|%s|%s', p_party, p_iban, p_name)) THEN
        status := 'no_redemption'; RETURN NEXT; RETURN;
    END IF;
    SELECT p_token, frontline_entity(), p_party, p_name, p_iban, b.date, false
    INTO STRICT v_new FROM core_business_date b;
    SELECT k.status, k.feed_position INTO status, feed_position FROM core_keep_payee(v_new) k;
    IF status <> 'party_unknown' THEN
        PERFORM gc_state_execution(p_token, status, 'payee:' || p_token, feed_position);
    END IF;
    RETURN NEXT;
END $$;
"""

MESSAGES = """
CREATE FUNCTION gc_message_send(p_token uuid, p_recipient text, p_template text, p_case uuid,
    p_subject text, p_body text)
RETURNS TABLE (status text, feed_position text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF NOT gc_take_redemption(p_token, format('message/v1|%s|%s|%s', p_recipient, p_template,
            coalesce(p_case::text, ''))) THEN
        status := 'no_redemption'; feed_position := ''; RETURN NEXT; RETURN;
    END IF;
    INSERT INTO gc_message (id, recipient, template, case_id, subject, body)
    VALUES (p_token, p_recipient, p_template, p_case, p_subject, p_body);
    status := 'sent';
    feed_position := gc_announce('message.sent', 'message:' || p_token,
        jsonb_build_object('message_id', p_token, 'party_id', split_part(p_recipient, ':', 2),
            'template', p_template, 'channel', 'mailbox'));
    PERFORM gc_state_execution(p_token, status, 'message:' || p_token, feed_position);
    RETURN NEXT;
END $$;
"""

GRANTS = """
DO $$
DECLARE
    f text;
BEGIN
    FOREACH f IN ARRAY ARRAY[
        'core_open_bank(uuid, text, text, text, text, date)', 'core_roll_business_date(date)',
        'core_register_parties(uuid, uuid, text[])', 'core_open_accounts(uuid, uuid, text[])',
        'core_set_account_status(uuid, uuid, text)', 'core_issue_cards(uuid, uuid, text[])',
        'core_card_block(uuid, uuid, text)', 'core_add_payees(uuid, uuid, text[])',
        'core_payee_add(uuid, uuid, text, text)',
        'gc_message_send(uuid, text, text, uuid, text, text)']
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO frontline_app', f);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION core_keep_payee(core_payee) FROM PUBLIC;
"""

UNDO = """
DROP FUNCTION gc_message_send(uuid, text, text, uuid, text, text);
DROP FUNCTION core_payee_add(uuid, uuid, text, text);
DROP FUNCTION core_add_payees(uuid, uuid, text[]);
DROP FUNCTION core_keep_payee(core_payee);
DROP FUNCTION core_card_block(uuid, uuid, text);
DROP FUNCTION core_issue_cards(uuid, uuid, text[]);
DROP FUNCTION core_set_account_status(uuid, uuid, text);
DROP FUNCTION core_open_accounts(uuid, uuid, text[]);
DROP FUNCTION core_register_parties(uuid, uuid, text[]);
DROP FUNCTION core_roll_business_date(date);
DROP FUNCTION core_open_bank(uuid, text, text, text, text, date);
DROP TABLE gc_message;
"""


class Migration(migrations.Migration):
    dependencies = [("grand_central", "0003_batches")]
    operations = [
        migrations.RunSQL(
            MAILBOX + BANK + PARTIES + ACCOUNTS + CARDS + PAYEES + MESSAGES + GRANTS, UNDO
        )
    ]

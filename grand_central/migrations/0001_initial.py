"""Tables of the core: parties, accounts, immutable transfers, registers, and the feed of events.

The application reads all of this and writes none of it: rows come from owner-only functions, each
of which asks for a redeemed token of the same effect in the same transaction.
"""

from django.db import migrations

BANK = """
-- The bank behind a legal entity: which IBANs are its own, and the day it is booking on.
CREATE TABLE core_bank (
    entity text COLLATE "C" PRIMARY KEY DEFAULT frontline_entity(),
    name text NOT NULL,
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    bank_code text NOT NULL CHECK (bank_code ~ '^[A-Z0-9]{1,8}$'),
    own_ibans text NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$')
);
SELECT frontline_protect('core_bank', 'read_only');

CREATE TABLE core_business_date (
    entity text COLLATE "C" PRIMARY KEY DEFAULT frontline_entity(),
    date date NOT NULL
);
SELECT frontline_protect('core_business_date', 'read_only');
"""

REGISTERS = """
CREATE TABLE core_party (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    kind text NOT NULL CHECK (kind IN ('person', 'organisation')),
    name text NOT NULL CHECK (name <> ''),
    given_name text NOT NULL,
    family_name text NOT NULL,
    birth_date date,
    email text NOT NULL,
    phone text NOT NULL,
    street text NOT NULL,
    postal_code text NOT NULL,
    city text NOT NULL,
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    segment text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'suspended', 'left')),
    registered_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT frontline_protect('core_party', 'read_only');

CREATE TABLE core_card (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    party_id uuid NOT NULL REFERENCES core_party,
    account_id uuid NOT NULL,
    last_four text NOT NULL CHECK (last_four ~ '^[0-9]{4}$'),
    scheme text NOT NULL,
    product text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'blocked', 'expired')),
    expires_on date NOT NULL,
    block_reason text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT frontline_protect('core_card', 'read_only');

CREATE TABLE core_payee (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    party_id uuid NOT NULL REFERENCES core_party,
    name text NOT NULL CHECK (name <> ''),
    iban text COLLATE "C" NOT NULL CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
    added_on date NOT NULL,
    is_trusted boolean NOT NULL,
    -- Where the bank calls back before it believes a changed account number; '' when not known.
    phone text NOT NULL DEFAULT '',
    UNIQUE (entity, party_id, iban)
);
SELECT frontline_protect('core_payee', 'read_only');
"""

LEDGER = r"""
-- flags: 1 debits may not exceed credits and the agreed overdraft (a customer's money), 2 credits
-- may not exceed debits.
CREATE TABLE ledger_account (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    iban text COLLATE "C" NOT NULL,
    code smallint NOT NULL,
    currency text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('customer_current', 'customer_savings',
        'clearing', 'income', 'expense', 'equity')),
    name text NOT NULL,
    holder_name text NOT NULL,
    party_id uuid REFERENCES core_party,
    flags integer NOT NULL CHECK (flags BETWEEN 0 AND 3),
    overdraft_limit bigint NOT NULL DEFAULT 0 CHECK (overdraft_limit >= 0),
    debits_pending bigint NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
    debits_posted bigint NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),
    credits_pending bigint NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
    credits_posted bigint NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),
    status text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'blocked', 'closed')),
    opened_on date NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    CONSTRAINT ledger_account_iban_once UNIQUE (entity, iban),
    CONSTRAINT ledger_no_overdraft
        CHECK (flags & 1 = 0
            OR debits_pending + debits_posted <= credits_posted + overdraft_limit),
    CONSTRAINT ledger_no_overcredit
        CHECK (flags & 2 = 0 OR credits_pending + credits_posted <= debits_posted),
    -- A customer's account always belongs to somebody and is never without the overdraft rule.
    CONSTRAINT ledger_customer_account
        CHECK (kind NOT LIKE 'customer%' OR (party_id IS NOT NULL AND flags & 1 = 1))
) WITH (fillfactor = 50);
CREATE INDEX ledger_account_party ON ledger_account (entity, party_id);
CREATE UNIQUE INDEX ledger_account_internal ON ledger_account (entity, kind, currency)
    WHERE party_id IS NULL;
SELECT frontline_protect('ledger_account', 'read_only');

-- kind: 0 posted, 1 pending (a hold), 2 a hold posted, 3 a hold voided. No foreign keys: only the
-- functions below write here, under the locks of both accounts; the proof of balances would find
-- any other.
CREATE TABLE ledger_transfer (
    id uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    debit_account uuid NOT NULL,
    credit_account uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0 AND amount <= 1000000000000000),
    currency text COLLATE "C" NOT NULL,
    code smallint NOT NULL,
    kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 3),
    pending_id uuid,
    booking_date date NOT NULL,
    value_date date NOT NULL,
    remittance text NOT NULL CHECK (length(remittance) <= 140 AND remittance !~ '[\x01-\x1f\x7f]'),
    counterparty_name text NOT NULL
        CHECK (length(counterparty_name) <= 70 AND counterparty_name !~ '[\x01-\x1f\x7f]'),
    counterparty_iban text COLLATE "C" NOT NULL,
    end_to_end_id text NOT NULL CHECK (length(end_to_end_id) <= 35),
    category_hint text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    token uuid NOT NULL,
    expires_at timestamptz,
    posted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT ledger_two_accounts CHECK (debit_account <> credit_account),
    CONSTRAINT ledger_amount_moves CHECK (amount > 0 OR kind = 3),
    CONSTRAINT ledger_resolves CHECK ((kind >= 2) = (pending_id IS NOT NULL)),
    CONSTRAINT ledger_hold_ends CHECK ((kind = 1) = (expires_at IS NOT NULL))
);
CREATE UNIQUE INDEX ledger_resolved_once ON ledger_transfer (pending_id)
    WHERE pending_id IS NOT NULL;
CREATE INDEX ledger_hold_expiry ON ledger_transfer (entity, expires_at) WHERE kind = 1;
SELECT frontline_protect('ledger_transfer', 'read_only');
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION frontline_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON ledger_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION frontline_append_only();
"""

FEED = """
-- Events in commit order. A line about transfers names them; who reads it is given each with its
-- particulars from the immutable transfer, so that posting writes them once.
CREATE TABLE gc_outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    event_id uuid NOT NULL,
    type text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    payload jsonb,
    transfers uuid[],
    CHECK ((payload IS NULL) <> (transfers IS NULL))
);
CREATE INDEX gc_outbox_feed ON gc_outbox (entity, xact, position);
SELECT frontline_protect('gc_outbox', 'read_only');
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON gc_outbox
    FOR EACH ROW EXECUTE FUNCTION frontline_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON gc_outbox
    FOR EACH STATEMENT EXECUTE FUNCTION frontline_append_only();

-- The core's own statement of what it did for which token; tokens are matched against it.
CREATE TABLE gc_execution (
    token uuid PRIMARY KEY,
    entity text COLLATE "C" NOT NULL DEFAULT frontline_entity(),
    action_kind text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    status text NOT NULL,
    reference text NOT NULL,
    position text COLLATE "C" NOT NULL,
    executed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX gc_execution_once ON gc_execution (entity, idempotency_key);
SELECT frontline_protect('gc_execution', 'read_only');
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON gc_execution
    FOR EACH ROW EXECUTE FUNCTION frontline_append_only();
"""

GUARD = """
-- Return whether this very transaction redeemed the token for exactly this effect, and if so keep
-- the statement that it was carried out. Only the owner's functions may call it.
CREATE FUNCTION gc_take_redemption(p_token uuid, p_effect text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM FROM sentinel_redemption r
    WHERE r.token = p_token AND r.entity = frontline_entity()
        AND r.xact = pg_current_xact_id()
        AND r.effect_digest = sha256(convert_to(p_effect, 'UTF8'));
    RETURN FOUND;
END $$;

CREATE FUNCTION gc_state_execution(
    p_token uuid, p_status text, p_reference text, p_position text
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    INSERT INTO gc_execution (token, action_kind, idempotency_key, status, reference, position)
    SELECT r.token, r.action_kind, r.idempotency_key, p_status, p_reference, p_position
    FROM sentinel_redemption r WHERE r.token = p_token
    ON CONFLICT (token) DO NOTHING
$$;

CREATE FUNCTION gc_announce(p_type text, p_subject text, p_payload jsonb)
RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    INSERT INTO gc_outbox (event_id, type, subject, payload)
    VALUES (gen_random_uuid(), p_type, p_subject, p_payload)
    RETURNING xact::text || ':' || position
$$;
REVOKE ALL ON FUNCTION gc_take_redemption(uuid, text), gc_announce(text, text, jsonb),
    gc_state_execution(uuid, text, text, text) FROM PUBLIC;
"""

UNDO = """
DROP FUNCTION gc_take_redemption(uuid, text);
DROP FUNCTION gc_announce(text, text, jsonb);
DROP FUNCTION gc_state_execution(uuid, text, text, text);
DROP TABLE gc_execution, gc_outbox, ledger_transfer, ledger_account, core_payee, core_card,
    core_party, core_business_date, core_bank;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = [("sentinel", "0001_initial")]
    operations = [migrations.RunSQL(BANK + REGISTERS + LEDGER + FEED + GUARD, UNDO)]

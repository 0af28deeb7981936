-- Whose a value is: a table whose policy names a subject, the column that says which person a row is about, has a data key for each
-- transaction, class and subject, so that all that is encrypted about one person can be made unreadable at once (docs/privacy.md, "A key
-- for each person"; docs/decisions/0034-subject-keys.md).
--
-- digest    SHA-256("vestige-subject" || salt of the trail || number of the tracked table || ":" || value's text), 16 bytes of it: what the
--           wraps have of the subject
-- key       SHA-256("vestige-subject-key" || seed of the transaction || digest). The seed is written down nowhere: when the transaction
--           ends, nobody can make one of these keys again.

alter table vestige.encrypted_key add column if not exists xid xid8, add column if not exists seed bytea, add column if not exists subject bytea;
-- (Of all of them: the module of the native engine writes into no part of an index. An earlier one was of a part.)
do $whole$
begin
  if exists (select from pg_catalog.pg_index i where i.indexrelid = to_regclass('vestige.encrypted_key_subject') and i.indpred is not null) then
    drop index vestige.encrypted_key_subject;
  end if;
end
$whole$;
create index if not exists encrypted_key_subject on vestige.encrypted_key (subject);
alter table if exists vestige.destroyed add column if not exists subject text;

-- The trail's salt, from the first policy on that names a subject, and not earlier: what the install writes down itself pg_dump leaves out
-- of an extension (pgext/dump.sql), and a restored trail with another salt finds nobody's keys any more.
create or replace function vestige.keep_subject_salt() returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  insert into vestige.meta (name, value)
  select 'subject_salt', coalesce((select substr(c ->> 'subject', 31, 32) from vestige.shape s, jsonb_array_elements(s.columns) c
                                   where c ? 'subject' order by s.id desc limit 1),  -- the one that was lost
                                  replace(gen_random_uuid()::text, '-', ''))
  on conflict do nothing;
end
$$;

-- What stands before the subject's text in the digest, in hexadecimal digits.
create or replace function vestige.subject_prefix(tracked_id int) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  salt text := (select m.value from vestige.meta m where m.name = 'subject_salt');
begin
  if salt is null then
    raise exception 'this trail has no salt for its subjects' using errcode = 'no_data_found',
      hint = 'vestige.track() of a table, again with its subject, writes it down';
  end if;
  return encode(convert_to('vestige-subject', 'UTF8') || decode(salt, 'hex') || convert_to(tracked_id || ':', 'UTF8'), 'hex');
end
$$;

create or replace function vestige.subject_digest(prefix text, subject text) returns bytea language plpgsql stable
set search_path = pg_catalog, pg_temp as $$ begin return substr(sha256(decode(prefix, 'hex') || vestige.value_bytes(subject)), 1, 16); end $$;

-- The subject of a row as SQL over its columns, as text; null: the shape has none.
--
-- side   what stands before a column's name
create or replace function vestige.subject_of(columns jsonb, side text, out prefix text, out subject text) language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select c ->> 'subject', format('case when %1$s is distinct from null then concat(%1$s) end',
                                 format(vestige.spelling(c ->> 'base'), side || vestige.quoted(c ->> 'name')))
  from jsonb_array_elements(columns) c where c ? 'subject' limit 1
$$;

-- The transaction's data key of a class and a subject, written down where it is not yet.
create or replace function vestige.subject_key(class text, subject bytea, place text) returns bytea language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off as $$
declare
  seed bytea := (vestige.kept_key(class)).seed;
  key bytea;
begin
  if seed is null then
    perform vestige.new_data_key(class, place);
    seed := (vestige.kept_key(class)).seed;
  end if;
  key := sha256(convert_to('vestige-subject-key', 'UTF8') || seed || subject);
  perform from vestige.encrypted_key k where k.id = vestige.data_key_id(key) and k.subject = subject_key.subject;
  if not found then
    perform vestige.wrap_key(class, key, place, null, subject);
  end if;
  return key;
end
$$;

-- The text of the function that capture calls for a value that is somebody's, vestige.encrypted_of(class, value, prefix, subject). A
-- row without a subject has its values under the transaction's own key.
create or replace function vestige.encrypted_of_source() returns text language sql stable set search_path = pg_catalog, pg_temp as $$
  select format($source$
declare
  kept text[];
  digest bytea;
  stands boolean;
  kept_seed bytea;
  key bytea;
  number bytea;
  iv bytea;
  plain bytea;
begin
  if value is null then
    return null;
  elsif subject is null then
    return vestige.encrypted(class, value);
  end if;
  begin
    digest := substr(sha256(decode(prefix, 'hex') || convert_to(subject, 'UTF8')), 1, 16);
    kept := string_to_array(current_setting('vestige.data_key_' || encode(convert_to(class, 'UTF8'), 'hex'), true), ' ');
    if kept[1] = pg_current_xact_id()::text then
      kept_seed := decode(kept[4], 'hex');
      key := sha256(decode('766573746967652d7375626a6563742d6b6579', 'hex') || kept_seed || digest);
      number := substr(sha256(decode('766573746967652d646174612d6b6579', 'hex') || key), 1, 16);
      select exists (select from vestige.encrypted_key s where s.id = number and s.subject = digest and s.class = encrypted_of.class) into stands
      from vestige.encrypted_key k, pg_proc p
      where k.ctid = kept[2]::tid and k.seed = sha256(kept_seed) and k.class = encrypted_of.class and k.xid = pg_current_xact_id() and age(k.xmin) <= 0 and k.subject is null
        and p.proname = 'encrypt_iv' and p.proargtypes = '17 17 17 25' and p.pronamespace = %1$L::regnamespace and p.probin = %2$L;
      if not stands then
        insert into vestige.encrypted_key (id, class, recipient, wrapped, first_change, xid, subject)
        select number, encrypted_of.class, r.id, %1$s.pgp_pub_encrypt_bytea(key, r.public, vestige.wrap_options()), c.last_value + c.is_called::int,
               pg_current_xact_id(), digest
        from vestige.recipients(encrypted_of.class) r, vestige.change_id c, pg_proc p
        where p.proname = 'pgp_pub_encrypt_bytea' and p.proargtypes = '17 17 25' and p.pronamespace = %1$L::regnamespace and p.probin = %2$L;
        stands := found;
      end if;
      if stands then
        %3$s
      end if;
    end if;
  exception when others then
    null;
  end;
  return vestige.encrypted_anew(class, value, vestige.subject_digest(prefix, subject));
end
$source$, coalesce(x.place, 'pg_catalog'), (select p.probin from pg_proc p where p.proname = 'encrypt_iv' and p.proargtypes = '17 17 17 25'
                                                                       and p.pronamespace = x.place::regnamespace),
    vestige.token_statements(coalesce(x.place, 'pg_catalog')))
  from (select vestige.pgcrypto() as place) x
$$;

-- The functions that capture calls: as they are declared, as they ought to be, and as they stand. A transaction writes wraps by the
-- thousand into a table that was small when it was looked up first: it is always looked up by its index.
create or replace function vestige.encrypting_functions()
returns table (signature text, declared text, settings text, source text, stands text) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return query select f.signature, f.declared, f.settings, f.source, (select p.prosrc from pg_proc p where p.oid = to_regprocedure(f.signature))
  from (values ('vestige.encrypted(text,text)', 'vestige.encrypted(class text, value text)', '', vestige.encrypted_source()),
               ('vestige.encrypted_of(text,text,text,text)', 'vestige.encrypted_of(class text, value text, prefix text, subject text)',
                'set enable_seqscan = off set jit = off', vestige.encrypted_of_source())) f(signature, declared, settings, source);
end
$$;

-- Whether values of a column that are equal have one text, which is what somebody asks for: not so of numeric, whose 17.0 is 17, of
-- char(n), whose blanks count for nothing, of floating points, of citext, of a collation that takes upper case for lower.
create or replace function vestige.written_once(rel regclass, named text) returns boolean language sql stable
set search_path = pg_catalog, pg_temp as $$
  select l.exact and coalesce(nullif(l.base, ''), l.type) !~ '^(character[(]|numeric[(][0-9]+,(?!0[)]))'
  from vestige.live_columns(rel) l where l.name = named
$$;

-- Refuses a subject that cannot be: a column that is recorded in clear, of a table that has something to encrypt.
create or replace function vestige.check_subject(rel regclass, policy jsonb) returns void language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  named text := policy ->> 'subject';
begin
  if named is null then
    return;
  elsif jsonb_typeof(policy -> 'subject') <> 'string' then
    raise exception 'track %: subject is no name of a column', rel using errcode = 'invalid_parameter_value',
      hint = 'the column that says whose a row is: patient_id';
  elsif coalesce(policy -> 'encrypt', '{}') = '{}' then
    raise exception 'track %: it has a subject, %, and encrypts nothing', rel, named using errcode = 'invalid_parameter_value',
      hint = 'encrypt says what: {"ssn": "phi"}';
  elsif policy -> 'encrypt' ? named or policy -> 'redact' ? named or policy -> 'exclude' ? named
      or not exists (select from vestige.live_columns(rel) l where l.name = named and not l.virtual)
      or (jsonb_array_length(coalesce(policy -> 'include', '[]')) > 0 and not policy -> 'include' ? named
          and not named = any (vestige.key_columns(rel, policy))) then
    raise exception 'track %: % says whose a row is, and has to be recorded in clear', rel, named using errcode = 'invalid_parameter_value',
      hint = 'name a column that is neither encrypted nor redacted nor left out: an id that says nothing of the person by itself';
  elsif not vestige.written_once(rel, named) then
    raise exception 'track %: % says whose a row is, and values of its type that are equal are written in several ways', rel, named
      using errcode = 'invalid_parameter_value',
        hint = 'name a column of integers, uuid, text or dates: keys destroy --subject finds a person by the text of the value alone';
  end if;
end
$$;

-- Columns that only who has a private key reads: what is recorded of them is a token, made by pgcrypto (or encrypt_natively.sql) under a key of
-- the transaction, which is written down once, wrapped to the public keys of its class (docs/privacy.md, "Encrypted columns";
-- docs/decisions/0032).
--
-- token     01 02 || id of the data key (16) || iv (16) || AES-256-CBC of (salt (16) || value) || SHA-256(salt || value), in base64.
--           One that begins with - is none: the value could not be encrypted, and is not in the trail.

-- The schema that pgcrypto stands in, quoted; null where it is not, or where what has its functions' names is not its own: only a
-- superuser makes functions of a module, so that nobody's function is called with the rights of the trail's owner.
-- Null, too, where the trail's owner may not use that schema: what asks for a function by its name would fail, and the write with it.
-- Each transaction that encrypts asks: by indexes alone.
create or replace function vestige.pgcrypto() returns text language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  extension oid;
  schema oid;
  place text;
begin
  select e.oid, n.oid, '"' || replace(n.nspname, '"', '""') || '"' into extension, schema, place
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pgcrypto';
  if not has_schema_privilege((select t.nspowner from pg_namespace t where t.nspname = 'vestige'), schema, 'usage') then
    return null;
  end if;
  if 3 = (select count(*) from pg_proc p
          where p.proname in ('encrypt_iv', 'gen_random_bytes', 'pgp_pub_encrypt_bytea') and p.pronamespace = schema
            and (p.proname, p.proargtypes) in (('encrypt_iv', '17 17 17 25'::oidvector), ('gen_random_bytes', '23'::oidvector),
                                               ('pgp_pub_encrypt_bytea', '17 17 25'::oidvector))
            and p.probin ~ '(^|/)pgcrypto$'
            and exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
                          and d.refclassid = 'pg_extension'::regclass and d.refobjid = extension)) then
    return place;
  end if;
  return null;
end
$$;

-- Why nothing of a class can be encrypted, and what helps; null when it can.
--
-- somebodys  under a key of each subject, which the module of the native engine has not
drop function if exists vestige.encrypting_trouble(text);
create or replace function vestige.encrypting_trouble(class text, somebodys boolean default false, out trouble text, out remedy text) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  if not somebodys and vestige.encrypts_natively(class) then
    return;
  end if;
  if somebodys or to_regprocedure('vestige.native_token(text,text)') is null or exists (select from vestige.standing_recipients(class)) then
    select t.* into trouble, remedy from vestige.pgcrypto_trouble() t;
  end if;
  if trouble is null and not exists (select from vestige.recipients(class)) then
    trouble := format('class %s has no recipient', class);
    remedy := format('vestige keys generate --class %s --out %1$s.key, and its public half by vestige apply or vestige.add_recipient', class);
  end if;
end
$$;

create or replace function vestige.wrap_options() returns text language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$ begin return 'cipher-algo=aes256, compress-algo=0'; end $$;

create or replace function vestige.data_key_id(key bytea) returns bytea language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$ begin return substr(sha256(convert_to('vestige-data-key', 'UTF8') || key), 1, 16); end $$;

-- The setting that a transaction keeps the data key of a class in: its number, where a wrap of the key stands, the key, and the seed of
-- its subjects' keys (subject.sql). The session that it is of sees what it writes anyway; what it says of a key holds only if there is
-- a wrap of it that this very transaction wrote, which only the trail does. A part of the transaction that is rolled back takes the
-- wrap and the setting back together.
create or replace function vestige.data_key_setting(class text) returns text language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$ begin return 'vestige.data_key_' || encode(convert_to(class, 'UTF8'), 'hex'); end $$;

-- The data key that the transaction has for a class, and its seed; null: none that it has wrapped itself. In a trail that was
-- restored elsewhere a transaction may have the number of one that is long over: its age tells them apart. A subject's key is none
-- of these, though the session can compute it: what is nobody's, or another table's, would go with that person's keys.
create or replace function vestige.kept_key(class text, out key bytea, out seed bytea) language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  kept text[] := string_to_array(current_setting(vestige.data_key_setting(class), true), ' ');
begin
  if kept[1] = pg_current_xact_id_if_assigned()::text then
    perform from vestige.encrypted_key k
    where k.ctid = kept[2]::tid and k.id = vestige.data_key_id(decode(kept[3], 'hex')) and k.class = kept_key.class
      and k.xid = pg_current_xact_id_if_assigned() and age(k.xmin) <= 0 and k.subject is null and k.seed = sha256(decode(kept[4], 'hex'));
    if found then
      key := decode(kept[3], 'hex');
      seed := decode(kept[4], 'hex');
    end if;
  end if;
exception when others then
  key := null;  -- the session said something else
  seed := null;
end
$$;
drop function if exists vestige.data_key(text);

-- Writes a data key down for every recipient of its class, before anything is encrypted under it.
--
-- place     where pgcrypto stands
-- returns   where a wrap of it stands
create or replace function vestige.wrap_key(class text, key bytea, place text, seed bytea, subject bytea) returns tid language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  wrapped bytea;
  stands tid;
  -- The same of each wrap: they are destroyed together, or none.
  first bigint := (select last_value + is_called::int from vestige.change_id);
  one record;
begin
  for one in select * from vestige.recipients(class) loop
    execute format('select %s.pgp_pub_encrypt_bytea($1, $2, $3)', place) into strict wrapped using key, one.public, vestige.wrap_options();
    insert into vestige.encrypted_key as k (id, class, recipient, wrapped, first_change, xid, seed, subject)
    values (vestige.data_key_id(key), wrap_key.class, one.id, wrapped, first, pg_current_xact_id(), sha256(wrap_key.seed), wrap_key.subject)
    returning k.ctid into stands;
  end loop;
  if stands is null then
    raise exception 'class % has no recipient', class;
  end if;
  return stands;
end
$$;

-- A new one of the transaction.
drop function if exists vestige.new_data_key(text);
create or replace function vestige.new_data_key(class text, place text default vestige.pgcrypto()) returns bytea language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  key bytea;
  seed bytea;
  stands tid;
begin
  execute format('select %1$s.gen_random_bytes(32), %1$s.gen_random_bytes(32)', place) into strict key, seed;
  stands := vestige.wrap_key(class, key, place, seed, null);
  perform set_config(vestige.data_key_setting(class), concat_ws(' ', pg_current_xact_id(), stands, encode(key, 'hex'), encode(seed, 'hex')), true);
  return key;
end
$$;

-- The token of a value, as SQL; null: of no class. Its text is what the type's own output function makes of it, as in the text of a row.
--
-- prefix, subject   of a table whose values are each somebody's (subject.sql): the subject's, as SQL
drop function if exists vestige.token_of(text, text);
create or replace function vestige.token_of(class text, value text, prefix text, subject text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select case when prefix is null
      then format('vestige.encrypted(%L, case when %2$s is distinct from null then concat(%2$s) end)', class, value)
      else format('vestige.encrypted_of(%L, case when %2$s is distinct from null then concat(%2$s) end, %3$L, %4$s)', class, value, prefix, subject) end
  where class is not null
$$;

-- A value as bytes: UTF-8, or as they are where that cannot be.
create or replace function vestige.value_bytes(value text) returns bytea language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return convert_to(value, 'UTF8');
exception when others then
  return convert_to(value, getdatabaseencoding());
end
$$;

-- A token, wherever pgcrypto stands now, under a new data key where the transaction has none. Nothing is written in clear where it
-- cannot be made: the write goes on, what is recorded says only that there was a value, and two of them are never alike.
--
-- subject   whose it is (vestige.subject_digest); null: nobody's
drop function if exists vestige.encrypted_anew(text, text);
create or replace function vestige.encrypted_anew(class text, value text, subject bytea default null) returns text language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  place text := vestige.pgcrypto();
  key bytea;
  iv bytea := uuid_send(gen_random_uuid());
  plain bytea;
  hidden bytea;
  why text;
begin
  begin
    if place is not null then
      key := case when subject is null then coalesce((vestige.kept_key(class)).key, vestige.new_data_key(class, place))
                  else vestige.subject_key(class, subject, place) end;
      plain := uuid_send(gen_random_uuid()) || vestige.value_bytes(value);
      execute format('select %s.encrypt_iv($1, $2, $3, ''aes-cbc/pad:pkcs'')', place) into strict hidden using plain, key, iv;
      return translate(encode(decode('0102', 'hex') || vestige.data_key_id(key) || iv || hidden || sha256(plain), 'base64'), E'\n', '');
    end if;
  exception when others then
    why := 'error ' || sqlstate;  -- its text may have part of the value
  end;
  why := format('values of class %s are recorded as redacted, since they cannot be encrypted: %s', class,
                coalesce((vestige.encrypting_trouble(class, subject is not null)).trouble, why, 'the native engine made no token'));
  insert into vestige.note (message)
  select why where not exists (select from vestige.note n where n.message = why and n.at > clock_timestamp() - interval '1 day');
  return '-' || gen_random_uuid();
end
$$;

-- The token of `value` under `key`, whose id is `number`, as the last statements of a function that has `iv` and `plain`, too.
create or replace function vestige.token_statements(place text) returns text language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format($statements$iv := uuid_send(gen_random_uuid());
        plain := uuid_send(gen_random_uuid()) || convert_to(value, 'UTF8');
        return translate(encode(decode('0102', 'hex') || number || iv || %s.encrypt_iv(plain, key, iv, 'aes-cbc/pad:pkcs')
                                || sha256(plain), 'base64'), E'\n', '');$statements$, place)
$$;

-- The text of the function that capture calls for a value, vestige.encrypted(class, value): the same, quickly, where pgcrypto stands
-- as it did when this was made; by the module of the native engine, where that is in this database and can. It pins nothing: its callers do.
create or replace function vestige.encrypted_source() returns text language sql stable set search_path = pg_catalog, pg_temp as $$
  select format($source$
declare
  kept text[];
  key bytea;
  number bytea;
  iv bytea;
  plain bytea;%3$s
begin
  if value is null then
    return null;
  end if;
  begin%4$s
    kept := string_to_array(current_setting('vestige.data_key_' || encode(convert_to(class, 'UTF8'), 'hex'), true), ' ');
    if kept[1] = pg_current_xact_id()::text then
      key := decode(kept[3], 'hex');
      number := substr(sha256(decode('766573746967652d646174612d6b6579', 'hex') || key), 1, 16);
      perform from vestige.encrypted_key k, pg_proc p
      where k.ctid = kept[2]::tid and k.id = number and k.class = encrypted.class and k.xid = pg_current_xact_id() and age(k.xmin) <= 0
        and k.subject is null and k.seed = sha256(decode(kept[4], 'hex'))
        and p.proname = 'encrypt_iv' and p.proargtypes = '17 17 17 25' and p.pronamespace = %1$L::regnamespace and p.probin = %2$L;
      if found then
        %5$s
      end if;
    end if;
  exception when others then
    null;
  end;
  return vestige.encrypted_anew(class, value);
end
$source$, coalesce(x.place, 'pg_catalog'), (select p.probin from pg_proc p where p.proname = 'encrypt_iv' and p.proargtypes = '17 17 17 25'
                                                                       and p.pronamespace = x.place::regnamespace),
    case when natively then E'\n  token text;' end, case when natively then $native$
    token := vestige.native_token(class, value);
    if token is not null then
      return token;
    end if;$native$ end, vestige.token_statements(coalesce(x.place, 'pg_catalog')))
  from (select vestige.pgcrypto() as place, to_regprocedure('vestige.native_token(text,text)') is not null as natively) x
$$;

-- Makes these functions, where they are not as they should be.
create or replace function vestige.make_encrypted() returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  trail_owner oid := (select nspowner from pg_namespace where nspname = 'vestige');
  one record;
begin
  for one in select * from vestige.encrypting_functions() f where f.stands is distinct from f.source loop
    execute format('create or replace function %s returns text language plpgsql %s as %L', one.declared, one.settings, one.source);
    execute format('revoke all on function %s from public', one.signature);
    if (select proowner from pg_proc where oid = one.signature::regprocedure) <> trail_owner then
      execute format('alter function %s owner to %s', one.signature, trail_owner::regrole);
    end if;
  end loop;
  if found then
    perform vestige.set_rights(false);
  end if;
end
$$;

-- What is to be said of a table's encrypted columns.
create or replace function vestige.encrypt_findings(s vestige.shape)
returns table (severity text, code text, brief text, message text, remedy text, fixable boolean) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  one record;
begin
  for one in
    select k.class, k.names, x.trouble, x.remedy
    from (select c ->> 'encrypted' as class, string_agg(c ->> 'name', ', ' order by c ->> 'name') as names
          from jsonb_array_elements(s.columns) c where c ? 'encrypted' group by 1) k,
         vestige.encrypting_trouble(k.class, jsonb_path_exists(s.columns, '$[*].subject')) x
    where x.trouble is not null order by 1
  loop
    return query select 'error', 'encrypt', 'cannot encrypt',
      format('%s cannot be encrypted: %s; of its values only that they changed is recorded', one.names, one.trouble), one.remedy, false;
  end loop;
  if jsonb_path_exists(s.columns, '$[*].encrypted')
      and (vestige.pgcrypto() is not null or to_regprocedure('vestige.native_token(text,text)') is not null) and exists (
      select from vestige.encrypting_functions() f where f.stands is distinct from f.source) then
    return query select 'warning', 'encrypt', null::text,
      'the function that encrypts is not as vestige made it, or pgcrypto stands elsewhere now', 'vestige doctor --fix', true;
  end if;
end
$$;

-- What stands for a former value in rows of a table's own type: null where it was null, and otherwise an error, since neither a token
-- nor null is what the row had.
create or replace function vestige.not_in_clear(token text, table_name text, named text) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  if token is null then
    return null;
  end if;
  raise exception 'read % at a moment: a value that % had then is encrypted', table_name, named using errcode = 'VS007',
    hint = 'vestige at shows the others, and this one to who has the key (--identity)';
end
$$;

-- Columns as a shape has them, for who compares rows and must not encrypt for it: of an encrypted one nothing is written down.
create or replace function vestige.comparable(columns jsonb) returns jsonb language sql immutable set search_path = pg_catalog, pg_temp as $$
  select case when jsonb_path_exists(columns, '$[*].encrypted')
    then (select jsonb_agg(case when c ? 'encrypted' then c - 'encrypted' || '{"redacted": true}' else c end order by place)
          from jsonb_array_elements(columns) with ordinality as i(c, place))
    else columns end
$$;

-- What encrypts where the module of the native engine is (sql/postgres/native.sql): the module itself, for the portable functions, too,
-- so that pgcrypto is needed only for recipients that have no key of age (docs/decisions/0032).

-- Whether the module of the native engine encrypts for a class: it is in this database, and each recipient that stands has a key of age.
create or replace function vestige.encrypts_natively(class text) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  one text;
  readable boolean;
begin
  for one in select s.public from vestige.standing_recipients(class) s loop
    readable := vestige.natively_readable(one);
    exit when not readable;
  end loop;
  return coalesce(readable, false);
end
$$;

-- Whether the module wraps data keys for a public half.
create or replace function vestige.natively_readable(public text) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  readable boolean := false;
begin
  if to_regprocedure('vestige.native_recipient(text)') is not null then
    execute 'select vestige.native_recipient($1)' into readable using public;
  end if;
  return coalesce(readable, false);
exception when others then
  return false;  -- the server has the module no longer
end
$$;

-- Writes a wrap down, for the module, where the table is not as it was made.
create or replace function vestige.keep_wrap(id bytea, class text, recipient bigint, wrapped bytea, first_change bigint) returns void language plpgsql
security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into vestige.encrypted_key (id, class, recipient, wrapped, first_change) values (id, class, recipient, wrapped, first_change);
end
$$;

-- Why pgcrypto cannot be used, and what helps; null when it can.
create or replace function vestige.pgcrypto_trouble(out trouble text, out remedy text) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  if vestige.pgcrypto() is null then
    select format('the trail''s owner may not use the schema of pgcrypto, %I', n.nspname),
           format('grant usage on schema %I to %I', n.nspname, pg_get_userbyid(t.nspowner)) into trouble, remedy
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace join pg_namespace t on t.nspname = 'vestige'
    where e.extname = 'pgcrypto' and not has_schema_privilege(t.nspowner, n.oid, 'usage');
    trouble := coalesce(trouble, 'extension pgcrypto is not in this database');
    remedy := coalesce(remedy, 'create extension pgcrypto');
  end if;
end
$$;

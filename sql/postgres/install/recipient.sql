-- Who may read what is encrypted: the public keys of a class, which stand from one moment to another (docs/privacy.md, "Encrypted columns").

-- Who may read what is encrypted from now on: the recipients of a class that stand now.
-- Where none stands yet, those that come first: nothing is lost to a clock that was set back.
create or replace function vestige.standing_recipients(class text) returns table (id bigint, public text) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  moment timestamptz := clock_timestamp();
begin
  if to_regclass('vestige.recipient') is not null then
    return query select r.id, r.public from vestige.recipient r
        where r.class = standing_recipients.class and (r.until is null or r.until > moment)
          and r.since <= greatest(moment, (select min(n.since) from vestige.recipient n
                                           where n.class = standing_recipients.class and (n.until is null or n.until > moment)))
        order by r.id;
  end if;
end
$$;

-- Those of them with a public key as pgcrypto takes it, and that.
create or replace function vestige.recipients(class text) returns table (id bigint, public bytea) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return query select k.id, k.key from (
      select s.id, vestige.openpgp_key(s.public) as key from vestige.standing_recipients(class) s offset 0) k  -- each key is read once
    where k.key is not null order by k.id;
end
$$;

-- The OpenPGP key of a public half as `vestige keys generate` prints it: age1... openpgp:<base64>; null: it has none.
create or replace function vestige.openpgp_key(public text) returns bytea language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
begin
  -- Without a regular expression: each transaction that encrypts asks, and a key is long.
  return decode(nullif(split_part(split_part(' ' || translate(public, E'\n\r\t', '   '), ' openpgp:', 2), ' ', 1), ''), 'base64');
exception when others then
  return null;
end
$$;

-- Has what is encrypted from now on readable for one more key. The trail's owner says so: whoever has the key reads the class in
-- every table. It is recorded, as all that is done with the trail.
--
-- public    what `vestige keys generate` prints
-- from      it begins then, and who stands then ends; where another one begins later, it ends there. null: now, beside the others
-- returns   the recipient's id
drop function if exists vestige.add_recipient(text, text);
create or replace function vestige.add_recipient(class text, public text, "from" timestamptz default null) returns bigint language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  number bigint;
  begins timestamptz := greatest("from", clock_timestamp());
  place text := vestige.pgcrypto();
begin
  perform vestige.check_class(class, 'add_recipient');
  if vestige.openpgp_key(public) is null then
    raise exception 'add_recipient %: its public half has no OpenPGP key', class using errcode = 'invalid_parameter_value',
      hint = 'it is the line that vestige keys generate prints, with openpgp: in it';
  elsif place is null and not vestige.natively_readable(public) then
    raise exception 'add_recipient %: %', class, (vestige.pgcrypto_trouble()).trouble using errcode = 'feature_not_supported',
      hint = (vestige.pgcrypto_trouble()).remedy;
  end if;
  if public !~ '^(age1[a-z0-9]+ )?openpgp:[A-Za-z0-9+/]+=*$' then
    raise exception 'add_recipient %: more stands there than a public half', class using errcode = 'invalid_parameter_value',
      hint = 'exactly the line that vestige keys generate prints: it is kept for good';
  end if;
  begin
    if place is not null then
      execute format('select %s.pgp_pub_encrypt_bytea($1, $2, $3)', place) using decode('00', 'hex'), vestige.openpgp_key(public), vestige.wrap_options();
    end if;
  exception when others then
    raise exception 'add_recipient %: nothing can be encrypted to its public half: %', class, sqlerrm using errcode = 'invalid_parameter_value',
      hint = 'pgcrypto takes RSA and ElGamal keys with a subkey for encryption';
  end;
  perform vestige.own_table('recipient');
  select r.id into number from vestige.recipient r
  where r.class = add_recipient.class and r.public = add_recipient.public and (r.until is null or r.until > clock_timestamp())
    -- One that begins later does not stand yet.
    and ("from" is not null or r.id in (select n.id from vestige.recipients(add_recipient.class) n))
  order by r.id limit 1;
  if number is null then
    insert into vestige.recipient as r (class, public, since, until)
    values (add_recipient.class, add_recipient.public, begins,
            (select min(n.since) from vestige.recipient n
             where "from" is not null and n.class = add_recipient.class and n.since > begins and (n.until is null or n.until > n.since)))
    returning r.id into number;
    update vestige.recipient r set until = begins
    where "from" is not null and r.class = add_recipient.class and r.since < begins and (r.until is null or r.until > begins);
  end if;
  return number;
end
$$;

-- Ends that. What was encrypted before stays readable for it. Of one that has not begun, those who were to end then stand as long as
-- it would have: there is always somebody.
create or replace function vestige.end_recipient(id bigint) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  ended record;
begin
  if to_regclass('vestige.recipient') is not null then
    select r.* into ended from vestige.recipient r
    where r.id = end_recipient.id and (r.until is null or r.until > clock_timestamp()) for update;
    if found then
      update vestige.recipient r set until = ended.until
      where r.class = ended.class and r.id <> ended.id and r.until = ended.since and ended.since > clock_timestamp()
        and r.since < r.until;
      update vestige.recipient r set until = clock_timestamp() where r.id = ended.id;
      return;
    end if;
  end if;
  raise exception 'end_recipient: there is no recipient %', id using errcode = 'undefined_object';
end
$$;

create or replace function vestige.check_class(class text, attempt text) returns void language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
begin
  if class is null or class !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' then
    raise exception '%: % is no name of a class', attempt, coalesce(to_json(class)::text, 'null') using errcode = 'invalid_parameter_value',
      hint = 'letters, digits, dots, dashes: phi';
  end if;
end
$$;

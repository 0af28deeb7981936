-- Takes the trail away: triggers, history, everything. Runs in a transaction.
set local search_path = pg_catalog, pg_temp;
set local standard_conforming_strings = on;
set local quote_all_identifiers = off;

do $remove$
declare
  t record;
begin
  if to_regclass('vestige.hold') is not null then
    for t in execute 'select id, matter from vestige.hold where released_by is null order by id limit 1' loop
      raise exception 'remove the trail: it is held for % (hold %)', to_json(t.matter), t.id using errcode = 'VS006',
        hint = 'vestige hold list says by whom and why; nothing goes before it is released';
    end loop;
  end if;
  for t in
    select tg.tgrelid::regclass as rel, tg.tgname
    from pg_catalog.pg_trigger tg join pg_catalog.pg_proc p on p.oid = tg.tgfoid
    where p.pronamespace = 'vestige'::regnamespace and tg.tgparentid = 0
      and (select relnamespace from pg_catalog.pg_class where oid = tg.tgrelid) <> 'vestige'::regnamespace
  loop
    execute format('drop trigger %I on %s', t.tgname, t.rel);
  end loop;
end
$remove$;
drop schema vestige cascade;

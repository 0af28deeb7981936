-- The settings under which the trail's own functions run. What a function needs stands at the head of its body,
--
--   -- pinned: values    it prints values, or reads their texts
--   -- pinned: times     it prints times
--   -- pinned: names     it prints names of types or tables
--
-- and here it gets them, whichever session calls it.
do $pins$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as name, substring(p.prosrc from E'^\\s*-- pinned: (\\w+)') as pinned
    from pg_catalog.pg_proc p where p.pronamespace = 'vestige'::regnamespace and p.prosrc ~ E'^\\s*-- pinned: '
  loop
    execute format('alter function %s %s', f.name, vestige.pinned(case f.pinned when 'values' then 'zdifbmqxa'
                                                                    when 'times' then 'zd' when 'names' then 'q' end));
  end loop;
end
$pins$;

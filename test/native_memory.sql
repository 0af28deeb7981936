create extension vestige;

create table t (id int primary key, v text, w numeric, x timestamptz default now(), y float8, z int[], j json);
select vestige.track('t');
select vestige.set_engine('t', 'native');
create table c (a text, b int, v text, primary key (a, b));
select vestige.track('c');
select vestige.set_engine('c', 'native');
create table big (id int primary key, v text, w int);
select vestige.track('big');
select vestige.set_engine('big', 'native');

select vestige.add_recipient('phi', 'age1dtp27ahf88jrk7fqt9er9wl44997h5qcy9sr80xy28xczwx4sc5qsnhwqp openpgp:AAAA');
create table e (id int primary key, v text, w int[], x text);
select vestige.track('e', encrypt => '{"v": "phi", "w": "phi"}', redact => '{x}');
select vestige.set_engine('e', 'native');

begin;
select set_config('vestige.context', '{"actor":"ann","reason":"why"}', true);
insert into t select i, 'v' || i, i, now(), i / 3.0, array[i, null], '{"a": 1}' from generate_series(1, 60) i;
insert into c select 'a "' || i, i, null from generate_series(1, 20) i;
commit;

update t set v = v || '(",\)', w = w / 7, y = 'NaN', z = null;

update t set id = id + 1000 where id < 10;

update c set b = b + 1 where b = 20;

insert into big select i, repeat('x', 100000), i from generate_series(1, 3) i;

update big set w = w + 1;

do $$ begin
  for i in 1..20 loop
    begin
      insert into t (id, v) values (10000 + i, 'a');
      raise exception 'back';
    exception when others then null;
    end;
  end loop;
end $$;

begin;
update t set y = 1 where id < 50;
do $$ begin
  for i in 1..6 loop
    begin
      update t set y = i where id < 60;
      perform count(*) from vestige.change;
      if i % 2 = 0 then raise exception 'back'; end if;
    exception when others then null;
    end;
  end loop;
end $$;
insert into t (id, v) select i, repeat('y', 200) from generate_series(5000, 5800) i;
create index own on vestige.change_default (op);
update t set y = 2 where id = 1;
commit;

alter table t add column q text default 'a"b';

update t set q = null;

alter table t drop column w;

insert into t (id, v) select i, null from generate_series(2000, 2020) i;

vacuum vestige.change;

truncate c;

delete from t where id % 2 = 0;

set timezone = 'Asia/Kathmandu';

update t set x = x + interval '1 day';

insert into e select i, 'v' || i, array[i, null], 'x' from generate_series(1, 60) i;

insert into e values (100, repeat('large ', 50000), null, null), (101, '', '{}', '');

update e set v = v || '+', w = null, x = id where id > 30;

do $$ begin
  for i in 1..20 loop
    begin
      update e set v = i where id < 5;
      if i % 3 > 0 then raise exception 'back'; end if;
    exception when raise_exception then null;
    end;
  end loop;
end $$;

update e set id = id + 1000 where id < 5;

alter table e add y text;

delete from e where id % 2 = 0;

select count(*) > 300 and (select count(*) > 4 from vestige.encrypted_key) as recorded from vestige.change;

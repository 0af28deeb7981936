-- The bank: transactions with their kind and who asked for them, the daily report, suspicious patterns, continuity.
create table accounts (id integer primary key, owner text, balance bigint not null);
select vestige.track('accounts', require => '{actor,business_process}');
begin;
select vestige.set_context('{"actor": "setup", "business_process": "opening"}');
insert into accounts values (12345, 'john', 100000), (2, 'mary', 5000);
commit;

create procedure book(account int, amount bigint, kind text, by text, ip text default '192.168.1.100') language plpgsql as $$
begin
  perform vestige.set_context(jsonb_build_object('actor', by, 'business_process', kind, 'ip_address', ip, 'user_agent', 'app/1',
                                                 'session_id', 's-' || by));
  update accounts set balance = balance + amount where id = account;
end
$$;
call book(12345, 50000, 'deposit', 'john_doe');
call book(2, -100, 'withdrawal', 'mary');
call book(2, -200, 'withdrawal', 'mary', 'not an address');
call book(2, 300, 'deposit', 'mary');
call book(2, -10, 'withdrawal', 'mary');
call book(2, -10, 'withdrawal', 'mary');
call book(2, -10, 'withdrawal', 'mary');
call book(12345, -400, 'transfer', 'john_doe');
call book(2, 400, 'transfer', 'john_doe');

-- The daily report: volume, transactions, and those that stand out: large ones, and more than five within an hour.
create view booked as
select id, record_id, business_process as kind, changed_by, changed_at, ip_address, user_agent, session_id,
       (old_values->>'balance')::bigint as before, (new_values->>'balance')::bigint as after,
       abs((new_values->>'balance')::bigint - (old_values->>'balance')::bigint) as amount
from vestige.audit_log
where table_name = 'accounts' and action = 'UPDATE'
  and changed_at >= current_date and changed_at < current_date + 1;

create view flagged as
select *, case when amount > 10000 then 'high_value' when recent > 5 then 'high_frequency' end as flag_reason
from (select b.*, count(*) over (partition by record_id order by changed_at range interval '1 hour' preceding) as recent
      from booked b) r;

select sum(amount) / 100.0 as total_volume, count(*) as total_transactions,
       count(flag_reason) as flagged_transactions from flagged;
select kind, count(*) from booked group by kind order by kind;
select record_id, kind, amount, flag_reason, changed_by, ip_address, session_id from flagged where flag_reason is not null order by id;

-- Continuity: each entry begins where the one before it ended.
select count(*) as entries, count(*) filter (where before <> expected) as violations
from (select before, lag(after) over (partition by record_id order by id) as expected from booked) c;

-- Rollback of a transaction: all of it or nothing, and not what has changed since.
select id, balance from accounts order by id;
begin;
select vestige.set_context('{"actor": "auditor", "business_process": "correction"}');
select vestige.revert(transaction_id) as undone from booked join vestige.audit_log l using (id) where kind = 'transfer' and l.record_id = '2';
commit;
select id, balance from accounts order by id;
begin;
select vestige.set_context('{"actor": "auditor", "business_process": "correction"}');
select vestige.revert(transaction_id) from booked join vestige.audit_log l using (id) where kind = 'deposit' and l.record_id = '2';
rollback;
select changed_by, business_process, reason ~ '^revert of tx' as says_so from vestige.audit_log order by id desc limit 1;

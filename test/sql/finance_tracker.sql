-- The finance tracker: an audit log of accounts, and the last entries with the balance before and after.
create table accounts (id serial primary key, owner text, balance numeric(12,2));
insert into accounts (owner, balance) values ('ann', 1000), ('bob', 50);
select vestige.track('accounts');

update accounts set balance = balance + 100 where id = 1;

select action, changed_fields, old_values->>'balance' as old_balance,
       new_values->>'balance' as new_balance, changed_at > now() - interval '1 minute' as just_now
from vestige.audit_log
where table_name = 'accounts'
order by changed_at desc
limit 5;

-- An update that changes nothing leaves no entry; inserts and deletes have every value; the log is there in the same
-- transaction.
begin;
update accounts set balance = balance where id = 1;
insert into accounts (owner, balance) values ('eve', 7);
delete from accounts where owner = 'bob';
select table_name, record_id, action, old_values, new_values, changed_fields, changed_by = current_user as by_me
from vestige.audit_log where table_name = 'accounts' order by id;
rollback;
select count(*) from vestige.audit_log;

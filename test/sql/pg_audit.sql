-- What pg-audit is configured with: some fields only, all but some, a condition; reasons for a part of the work.
create table users (id int primary key, name text, email text, last_login timestamptz);
create table products (id int primary key, price int, updated_at timestamptz);
create table subscriptions (id int primary key, plan text, is_active boolean);
select vestige.track('users', include => '{name,email}'), vestige.track('products', exclude => '{updated_at}'),
       vestige.track('subscriptions', "when" => 'NEW.is_active = true');
insert into users values (1, 'ann', 'a@example.com', '2026-01-01');
update users set last_login = '2026-01-02';
insert into products values (1, 5, '2026-01-01');
update products set updated_at = '2026-01-02';
insert into subscriptions values (1, 'basic', false), (2, 'plus', true);

begin;
select vestige.set_context('{"actor": "ann", "reason": "User requested password reset"}');
update users set email = 'ann@example.com';
select vestige.set_context('{"actor": "ann", "reason": "Bulk update for compliance"}');
update products set price = 6;
commit;

select table_name, action, old_values, new_values, changed_fields, reason from vestige.audit_log order by id;
select "column", value, reason from vestige.blame('users', '1');

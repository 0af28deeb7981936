-- The shop of the transcripts.
create table products (id integer primary key, name text not null, price integer, updated_at text);
create table orders (id integer primary key, customer text);
create table order_items (order_id integer references orders(id) on delete cascade, line integer,
                          product integer references products(id), quantity integer,
                          primary key (order_id, line));
create table notes (text);
insert into products values (1, 'Teapot', 99900, '2026-01-01'), (2, 'Cup', 1200, null);
insert into orders values (7, 'ann');
insert into order_items values (7, 1, 1, 1), (7, 2, 2, 4);
